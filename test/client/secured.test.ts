/** TLS with client certificates, and users with passwords. strata has no users yet: a real etcd judges these. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Client, type ClientOptions } from "../../src/client.ts";
import { EtcdServer } from "../../src/server/server.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { ServerProcess } from "../support/server-process.ts";

const TLS = join(import.meta.dirname, "../golden/fixtures/tls");

function pem(name: string): string {
  return readFileSync(join(TLS, `${name}.pem`), "utf8");
}

const SERVER_FLAGS = {
  "cert-file": join(TLS, "server.pem"),
  "key-file": join(TLS, "server-key.pem"),
  "trusted-ca-file": join(TLS, "ca.pem"),
  "client-cert-auth": true,
};

async function answer(options: ClientOptions): Promise<string> {
  await using client = new Client(options);
  try {
    await client.put("a", "1");
    const watch = client.watch("a", { startRevision: 1 });
    const { value } = await watch.next();
    return value?.events[0]?.kv.key.string() ?? "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("TLS", () => {
  test("with a client certificate, in text or bytes; without one, and without trust, it is said why", async () => {
    const flags = {
      "data-dir": scratchFolder("client-tls"),
      "listen-client-urls": "https://127.0.0.1:0",
      "unsafe-no-fsync": true,
      ...SERVER_FLAGS,
    };
    await using server = await EtcdServer.start({ flags });
    const [url = ""] = server.clientUrls;
    const bare = url.replace("https://", "");
    const [ca, cert, key] = [pem("ca"), pem("client"), pem("client-key")];
    expect(await answer({ endpoints: url, tls: { ca, cert, key } })).toBe("a");
    const bytes = { ca: Buffer.from(ca), cert: Buffer.from(cert), key: Buffer.from(key) };
    expect(await answer({ endpoints: bare, tls: bytes })).toBe("a");
    expect(await answer({ endpoints: url, tls: { cert, key, insecureSkipVerify: true } })).toBe(
      "a",
    );
    const refused = (tls: ClientOptions["tls"]): Promise<string> =>
      answer({ endpoints: tls === undefined ? bare : url, tls, dialTimeoutMs: 500 });
    const unavailable = /^rpc error: code = Unavailable desc = no connection: ./;
    for (const tls of [{ cert, key }, { ca: pem("other-ca"), cert, key }, { ca }, undefined]) {
      expect(await refused(tls)).toMatch(unavailable);
    }
    expect(() => new Client({ endpoints: url, tls: { cert: "no PEM", key } })).toThrow("tls: ");
  });
});

describeWithPeers("users and roles of a real etcd", ["etcd"], () => {
  test("made, asked, changed, taken away; and called with a password", async () => {
    await using server = await ServerProcess.start({ kind: "etcd" });
    const endpoints = server.endpoint;
    await using open = new Client({ endpoints });
    for (const [name, password] of [
      ["root", "r"],
      ["ann", "a"],
    ] as const) {
      await open.users.add(name, password);
    }
    await open.users.add("nobody", undefined);
    await open.roles.add("root");
    await open.roles.add("reader");
    await open.roles.grantPermission("reader", "read", { prefix: "app/" });
    await open.roles.grantPermission("reader", "readwrite", "app/log");
    await open.roles.grantPermission("reader", "write", { start: "x" });
    await open.users.grantRole("root", "root");
    await open.users.grantRole("ann", "reader");
    expect(await open.users.list()).toEqual(["ann", "nobody", "root"]);
    expect(await open.users.get("ann")).toEqual({ roles: ["reader"] });
    expect(await open.roles.list()).toEqual(["reader", "root"]);
    const { permissions } = await open.roles.get("reader");
    expect(permissions.map(({ access }) => access).sort()).toEqual(["read", "readwrite", "write"]);
    for (const { keys } of permissions) await open.roles.revokePermission("reader", keys);
    expect((await open.roles.get("reader")).permissions).toEqual([]);
    await open.roles.grantPermission("reader", "read", { prefix: "app/" });
    await open.put("app/a", "1");
    await open.auth.enable();

    await expect(open.get("app/a")).rejects.toMatchObject({ code: "USER_EMPTY" });
    await using wrong = new Client({ endpoints, user: "ann", password: "?" });
    await expect(wrong.get("app/a")).rejects.toMatchObject({ code: "AUTH_FAILED" });
    await using ann = new Client({ endpoints, user: "ann", password: "a" });
    expect((await ann.get("app/a"))?.value.string()).toBe("1");
    await expect(ann.put("app/a", "2")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(ann.watch("other").next()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await using root = new Client({ endpoints, user: "root", password: "r" });
    const watch = ann.watch({ prefix: "app/" });
    await watch.created;
    // A restart forgets every token: another one is fetched, for calls and for the watch.
    await server.stop();
    await server.start();
    await root.put("app/b", "2");
    expect((await ann.get("app/b"))?.value.string()).toBe("2");
    const { value } = await watch.next();
    expect(value?.events[0]?.kv.key.string()).toBe("app/b");
    await root.users.changePassword("ann", "b");
    await root.users.revokeRole("ann", "reader");
    await expect(ann.get("app/a")).rejects.toThrow("etcdserver: ");
    await root.users.delete("ann");
    await root.roles.delete("reader");
    await root.auth.disable();
    expect((await open.get("app/a"))?.value.string()).toBe("1");
    await expect(open.auth.status()).rejects.toMatchObject({ code: "RPC", grpcStatus: 12 });
  });
});
