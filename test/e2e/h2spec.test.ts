/** What the public conformance suite for HTTP/2 says, with its strict cases, of our server: in plain text and over TLS. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { goldenPath } from "../support/golden.ts";
import { HEAD, listening, rig, TRAILERS } from "../support/http2-rig.ts";
import { peerPath } from "../support/peers.ts";

/** Cases that h2spec 2.x has, strict ones included. */
const CASES = 146;

/** Some cases wait as long as this to see that nothing comes. */
const QUIET_SECONDS = 3;

const answering = () =>
  listening(({ stream }) => {
    stream.sendHead(HEAD);
    stream.sendData([Buffer.from("some bytes, more than five")]);
    stream.sendTrailers(TRAILERS);
  });

/** Announced, so that the suite tries to go beyond it. */
const OPTIONS = { maxConcurrentStreams: 100 };

async function h2spec(port: number, more: readonly string[]): Promise<string> {
  const args = ["-h", "127.0.0.1", "-p", `${port}`, "--strict", "-o", `${QUIET_SECONDS}`, ...more];
  const child = spawn(peerPath("h2spec"), args, { stdio: ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  await new Promise((resolve) => child.on("close", resolve));
  return Buffer.concat(said).toString();
}

function expectAllPassed(report: string): void {
  // Only what failed is worth reading, if anything did.
  const failed = report.indexOf("Failures:");
  const end = report.slice(failed >= 0 ? failed : report.lastIndexOf("Finished in"));
  expect(end).toContain(`${CASES} tests, ${CASES} passed, 0 skipped, 0 failed`);
}

describeWithPeers("h2spec", ["h2spec"], () => {
  test("in plain text", { timeout: 600_000 }, async () => {
    const { port } = await rig(answering(), OPTIONS);
    expectAllPassed(await h2spec(port, []));
  });

  test("over TLS", { timeout: 600_000 }, async () => {
    const cert = readFileSync(goldenPath("fixtures/tls/server.pem"));
    const key = readFileSync(goldenPath("fixtures/tls/server-key.pem"));
    const tls = { cert, key, ALPNProtocols: ["h2"] };
    const { port } = await rig(answering(), OPTIONS, tls);
    expectAllPassed(await h2spec(port, ["-t", "-k"]));
  });
});
