/** Debian's `python3-etcd3`, on gRPC's C core: `test/judge/etcd3_client.py` does with it all that it can do. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { cleanUpAtEnd } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { peerPath } from "../support/peers.ts";
import { JUDGED, ServerProcess } from "../support/server-process.ts";

const SCRIPT = join(import.meta.dirname, "../judge/etcd3_client.py");

describeWithPeers(`python3-etcd3 on ${JUDGED}`, ["python3-etcd3"], () => {
  test("all that it can do", async () => {
    const server = await ServerProcess.start();
    onTestFinished(() => void server.stop("SIGKILL"));
    const line = [SCRIPT, "127.0.0.1", String(server.clientPort)];
    const child = spawn(peerPath("python3-etcd3"), line, { stdio: ["ignore", "pipe", "pipe"] });
    const forget = cleanUpAtEnd(() => child.kill("SIGKILL"));
    let passed = "";
    let failure = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      passed += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      failure += text;
    });
    const [code] = await once(child, "close");
    forget();
    expect([code, passed.trim().split("\n")], failure.slice(-2000)).toEqual([
      0,
      [
        ...["one_key", "many_keys", "large_values", "transactions", "leases", "locks", "watches"],
        ...["compaction", "maintenance", "many_at_once"],
      ],
    ]);
  });
});
