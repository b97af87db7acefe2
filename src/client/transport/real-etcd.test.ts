/** The life of a connection to a real etcd: stopped, killed, started again, asking who we are. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeWithPeers } from "../../../test/support/describe-with-peers.ts";
import { ServerProcess } from "../../../test/support/server-process.ts";
import { AUTH_METHODS } from "../../proto/tables/auth.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { WATCH_METHODS } from "../../proto/tables/watch.ts";
import { Rpc } from "../rpc.ts";
import { Http2Transport, type TransportOptions } from "./http2-transport.ts";

describeWithPeers("the client's connection to etcd", ["etcd"], () => {
  let etcd: ServerProcess;
  const open: Http2Transport[] = [];

  beforeAll(async () => {
    etcd = await ServerProcess.start({ kind: "etcd" });
  });
  afterAll(async () => {
    await etcd.stop("SIGKILL");
  });
  afterEach(async () => {
    for (const transport of open.splice(0)) await transport.close();
  });

  function client(options: Partial<TransportOptions> = {}): Rpc {
    const transport = new Http2Transport({ endpoints: [etcd.endpoint], ...options });
    open.push(transport);
    return new Rpc(transport);
  }

  const key = Buffer.from("k");
  const value = Buffer.from("v");

  test("a put and a get; an error in etcd's words", async () => {
    const rpc = client();
    await rpc.call(KV_METHODS.put, { key, value });
    const { kvs } = await rpc.call(KV_METHODS.range, { key });
    expect(Buffer.from(kvs[0]?.value ?? []).toString()).toBe("v");
    await expect(rpc.call(KV_METHODS.put, {})).rejects.toMatchObject({ code: "EMPTY_KEY" });
  });

  test("our deadline is the one error that a late call ends with, whoever notices first", async () => {
    const rpc = client();
    for (const timeoutMs of [0.01, 0.1, 1]) {
      const ends = await Promise.allSettled(
        Array.from({ length: 50 }, () => rpc.call(KV_METHODS.range, { key }, { timeoutMs })),
      );
      for (const end of ends) {
        if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "DEADLINE" });
      }
    }
  });

  test("killed and started again: a watch ends with Unavailable, a read waits and goes on", async () => {
    const rpc = client();
    const watch = rpc.open(WATCH_METHODS.watch);
    await watch.send({ createRequest: { key } });
    const ends = (async () => {
      for await (const _response of watch) {
        await etcd.stop("SIGKILL");
      }
    })();
    await expect(ends).rejects.toMatchObject({ grpcStatus: 14 });
    const read = rpc.call(KV_METHODS.range, { key });
    await etcd.start();
    expect((await read).kvs.length).toBe(1);
  });

  test("a stopped process is noticed, and found again when it goes on", async () => {
    const rpc = client({ keepAliveTimeMs: 30, keepAliveTimeoutMs: 30 });
    await rpc.call(KV_METHODS.range, { key });
    process.kill(etcd.pid, "SIGSTOP");
    try {
      await expect(rpc.call(KV_METHODS.put, { key, value })).rejects.toMatchObject({
        grpcStatus: 14,
        details: "keepalive ping failed to receive ACK within timeout",
      });
      await expect(rpc.call(KV_METHODS.range, { key }, { timeoutMs: 100 })).rejects.toMatchObject({
        code: "DEADLINE",
      });
    } finally {
      process.kill(etcd.pid, "SIGCONT");
    }
    await rpc.call(KV_METHODS.range, { key });
  });

  test("a token is got, and got again when a restart has made etcd forget it", async () => {
    const root = client();
    await root.call(AUTH_METHODS.userAdd, { name: "root", password: "pw" });
    await root.call(AUTH_METHODS.userGrantRole, { user: "root", role: "root" });
    await root.call(AUTH_METHODS.enable, {});
    const rpc = client({ credentials: { user: "root", password: "pw" } });
    await rpc.call(KV_METHODS.range, { key });
    await etcd.stop("SIGKILL");
    await etcd.start();
    await rpc.call(KV_METHODS.put, { key, value }, { idempotent: true });
    await expect(
      client({ credentials: { user: "root", password: "no" } }).call(KV_METHODS.range, { key }),
    ).rejects.toMatchObject({ code: "AUTH_FAILED" });
    await expect(client().call(KV_METHODS.range, { key })).rejects.toMatchObject({
      code: "USER_EMPTY",
    });
    await rpc.call(AUTH_METHODS.disable, {});
  });
});
