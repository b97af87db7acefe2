/** A server with --self-maintain gives the disk back what it does not need, without being asked. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KV } from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { EtcdServer } from "../../src/server/server.ts";
import { builtFile } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { ask } from "../support/http-rig.ts";
import { etcdctl } from "../support/real-etcd.ts";
import { WireClient } from "../support/wire-client.ts";

// The storage thread is the built one.
builtFile("strata");

const MIB = 1024 ** 2;
const VALUES = 120;
const VALUE_BYTES = 128 * 1024;

describeWithPeers("a server that looks after itself", ["etcdctl"], () => {
  test("is filled up to its quota, emptied, compacted: and its file is small again", async () => {
    const dataDir = join(scratchFolder("self-maintenance"), "data");
    const flags = {
      "data-dir": dataDir,
      "listen-client-urls": "http://127.0.0.1:0",
      "quota-backend-bytes": 16 * MIB,
      "self-maintain": true,
      // On a slow machine the rule may hold for a moment while the file is filled.
      "auto-defrag-min-interval": "1s",
    };
    await using server = await EtcdServer.start({ flags });
    const [url = ""] = server.clientUrls;
    const status = async (): Promise<{ dbSize: number; dbSizeInUse: number }> => {
      const { stdout } = await etcdctl("--endpoints", url, "endpoint", "status", "-w", "json");
      return JSON.parse(stdout)[0].Status;
    };
    const client = new WireClient(new URL(url).host);
    const value = new Uint8Array(VALUE_BYTES);
    const put = (i: number) => client.call(KV.method.put, { key: Buffer.from(`k${i}`), value });
    await Promise.all(Array.from({ length: VALUES }, (_, i) => put(i)));
    await server.member.backend.commit();
    expect((await status()).dbSize).toBeGreaterThan(VALUES * VALUE_BYTES);
    const all = { key: Buffer.from("k"), rangeEnd: Buffer.from("l") };
    const { header } = await client.call(KV.method.deleteRange, all);
    await client.call(KV.method.compact, { revision: header?.revision ?? 0n });
    await expect
      .poll(() => server.member.status().sizeBytes, { timeout: 20_000 })
      .toBeLessThan(MIB);
    expect((await status()).dbSize).toBeLessThan(MIB);
    expect(statSync(join(dataDir, "member/snap/db")).size).toBeLessThan(MIB);
    const { body } = await ask(url, "/metrics");
    expect(body).toMatch(/^strata_auto_defrag_total\{outcome="done"\} [1-9]/m);
    client.close();
  });
});
