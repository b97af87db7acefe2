/**
 * nghttp2's load generator: closed loops over HTTP/2, `connections` × `streams` requests on their way at a time. Of its
 * log come the latencies, of its summary the rest.
 */
import { spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cleanUpAtEnd } from "../../test/support/cleanup.ts";
import { peerPath } from "../../test/support/peers.ts";
import { quantile } from "../store/workload.ts";

export interface Point {
  readonly connections: number;
  /** On each of them. */
  readonly streams: number;
}

export interface Load extends Point {
  readonly url: string;
  /** `/etcdserverpb.KV/Put` */
  readonly path: string;
  /** The request's body, the same each time. */
  readonly body: Uint8Array;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** For its files. */
  readonly folder: string;
}

export interface LoadFigure {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** @throws Error if a request failed */
export async function h2load(load: Load): Promise<LoadFigure> {
  const { url, path, connections, streams, seconds, warmUpSeconds, folder } = load;
  const bodyFile = join(folder, "body");
  const logFile = join(folder, "log");
  writeFileSync(bodyFile, load.body);
  rmSync(logFile, { force: true });
  const args = [
    ["-c", `${connections}`, "-m", `${streams}`],
    ["-D", `${Math.round(seconds * 1000)}ms`],
    ["--warm-up-time", `${Math.round(warmUpSeconds * 1000)}ms`],
    ["--log-file", logFile, "-d", bodyFile],
    ["-H", "content-type: application/grpc", "-H", "te: trailers"],
    [`${url}${path}`],
  ].flat();
  const said = await run(peerPath("h2load"), args);
  const [, total, succeeded, failed] =
    /requests: (\d+) total,.* (\d+) succeeded, (\d+) failed/.exec(said) ?? [];
  const perSecond = Number(/, ([\d.]+) req\/s/.exec(said)?.[1]);
  if (!(perSecond > 0) || failed !== "0" || total !== succeeded) {
    throw new Error(`h2load: ${/requests: .*/.exec(said)?.[0] ?? said.slice(-500)}`);
  }
  const tookMs = Float64Array.from(
    readFileSync(logFile, "latin1").trimEnd().split("\n"),
    (line) => Number(line.slice(line.lastIndexOf("\t"))) / 1000,
  ).sort();
  rmSync(logFile);
  return {
    requests: Number(total),
    perSecond,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
  };
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await new Promise((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", reject);
  });
  forget();
  return said;
}
