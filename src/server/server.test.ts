import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { expect, onTestFinished, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import type { Logger } from "./logging/logger.ts";
import { EtcdServer } from "./server.ts";

const LISTEN = { "listen-client-urls": "http://127.0.0.1:0" };

function client(server: EtcdServer): Etcd3 {
  const etcd = new Etcd3({ hosts: [...server.clientUrls] });
  onTestFinished(() => {
    etcd.close();
  });
  return etcd;
}

test("a server in a program takes the command's flags, and tells where it is", async () => {
  const dir = join(scratchFolder("server"), "data");
  const messages: string[] = [];
  const say = (message: string): void => {
    messages.push(message);
  };
  const log: Logger = {
    debug: say,
    info: say,
    warn: say,
    error: say,
    fatal: say,
    from: () => log,
  };
  const server = await EtcdServer.start({
    flags: { ...LISTEN, "data-dir": dir, "max-txn-ops": 1 },
    log,
  });
  expect(server.clientUrls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/)]);
  const etcd = client(server);
  await etcd.put("k").value("v");
  const { members } = await etcd.cluster.memberList({});
  expect(members.map(({ clientURLs }) => clientURLs)).toEqual([server.clientUrls]);
  await expect(EtcdServer.start({ flags: { ...LISTEN, "data-dir": dir } })).rejects.toMatchObject({
    code: "LOCKED",
  });
  await Promise.all([server.close(), server.close()]);
  expect(messages).toContain("closed etcd server");
  const again = await EtcdServer.start({
    flags: { ...LISTEN, "data-dir": dir, "unsafe-no-fsync": true },
  });
  expect(await client(again).get("k").string()).toBe("v");
  await again.close();
});

test("what cannot be run with is refused as the command refuses it", async () => {
  const start = (flags: Record<string, string>): Promise<EtcdServer> => EtcdServer.start({ flags });
  await expect(start({ nosuch: "1" })).rejects.toThrow('there is no flag "nosuch"');
  await expect(start({ "max-txn-ops": "x" })).rejects.toThrow(
    'invalid value "x" for flag -max-txn-ops: parse error',
  );
  await expect(start({ "auto-compaction-mode": "x" })).rejects.toThrow(
    'unknown auto-compaction-mode "x"',
  );
});
