import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { FakeTransport } from "../../../test/support/fake-transport.ts";
import { MemoryIo } from "../../../test/support/memory-io.ts";
import { RpcError } from "../../client/status.ts";
import type { CallSettings, MessageStream } from "../../client/transport/transport.ts";
import { main } from "../../console/main.ts";
import { SNAPSHOT_RESPONSE } from "../../proto/tables/maintenance.ts";
import { encode } from "../../proto/tables/message-table.ts";
import { EtcdServer } from "../../server/server.ts";
import { ETCDCTL } from "../etcdctl.ts";
import { connectWith } from "../session.ts";

type Said = [code: number, stdout: string, stderr: string];

async function etcdctl(args: readonly string[], io = new MemoryIo()): Promise<Said> {
  const code = await main(ETCDCTL, args, io);
  return [code, io.stdout.text, io.stderr.text];
}

const database = randomBytes(4096 * 100);
const whole = Buffer.concat([database, createHash("sha256").update(database).digest()]);

/** What a server sends, blob by blob; a function is called in its place. */
type Blob = Uint8Array | ((settings: CallSettings) => Promise<void>);

function cut(bytes: Uint8Array): Uint8Array[] {
  const blobs: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 32768) blobs.push(bytes.subarray(at, at + 32768));
  return blobs;
}

/** Saves what such a server sends. */
function saveFrom(
  blobs: readonly Blob[],
  args: readonly string[],
  { io = new MemoryIo(), version = "" }: { io?: MemoryIo; version?: string } = {},
): Promise<Said> {
  const stream = (_path: string, settings: CallSettings = {}): MessageStream => ({
    send: async () => undefined,
    end: () => undefined,
    cancel: () => undefined,
    async *[Symbol.asyncIterator]() {
      let left = whole.length - 32;
      for (const blob of blobs) {
        if (typeof blob === "function") {
          await blob(settings);
          continue;
        }
        left = Math.max(left - blob.length, 0);
        yield encode(SNAPSHOT_RESPONSE, { remainingBytes: BigInt(left), blob, version });
      }
    },
  });
  const transport = new FakeTransport();
  transport.stream = stream;
  connectWith(io, () => transport);
  return etcdctl(["snapshot", "save", ...args], io);
}

describe("from a server", () => {
  let server: EtcdServer;
  let endpoint: string;
  beforeAll(async () => {
    const data = join(scratchFolder("save"), "data");
    server = await EtcdServer.start({
      flags: { "listen-client-urls": "http://127.0.0.1:0", "data-dir": data },
    });
    endpoint = server.clientUrls[0] as string;
    const ctl = ["--endpoints", endpoint];
    for (const key of ["a", "b"]) await etcdctl([...ctl, "put", key, "x".repeat(100_000)]);
  });
  afterAll(() => server.close());

  test("a whole file that only its owner may read, with the server's version", async () => {
    const folder = scratchFolder("save");
    const path = join(folder, "backup.db");
    expect(await etcdctl(["--endpoints", endpoint, "snapshot", "save", path])).toEqual([
      0,
      `Snapshot saved at ${path}\nServer version 3.5.0\n`,
      "",
    ]);
    expect(readdirSync(folder)).toEqual(["backup.db"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(path);
    const sha256 = createHash("sha256").update(bytes.subarray(0, -32)).digest();
    expect(sha256.equals(bytes.subarray(-32))).toBe(true);
    const [code, stdout] = await etcdctl(["snapshot", "status", path, "-w", "json"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ revision: 3 })]);
  });

  test("a time-out counts where it is given: by flag, or by variable", async () => {
    const path = join(scratchFolder("save"), "backup.db");
    const args = ["--endpoints=127.0.0.1:1", "snapshot", "save", path];
    const late: Said = [5, "", "Error: context deadline exceeded\n"];
    expect(await etcdctl(["--command-timeout=50ms", ...args])).toEqual(late);
    const io = new MemoryIo({ env: { ETCDCTL_COMMAND_TIMEOUT: "50ms" } });
    expect(await etcdctl(args, io)).toEqual(late);
    expect(readdirSync(join(path, ".."))).toEqual([]);
  });
});

test("a version that the server does not say is not printed", async () => {
  const path = join(scratchFolder("save"), "backup.db");
  expect(await saveFrom(cut(whole), [path])).toEqual([0, `Snapshot saved at ${path}\n`, ""]);
  expect(readFileSync(path).equals(whole)).toBe(true);
  const version = "3.6.0";
  const again = await saveFrom(cut(whole), [path], { version });
  expect(again).toEqual([0, `Snapshot saved at ${path}\nServer version 3.6.0\n`, ""]);
});

test("what an earlier one left is replaced, and so is the file", async () => {
  const folder = scratchFolder("save");
  const path = join(folder, "backup.db");
  writeFileSync(path, "old");
  writeFileSync(`${path}.part`, "x".repeat(1_000_000));
  expect((await saveFrom(cut(whole), [path]))[0]).toBe(0);
  expect(readFileSync(path).equals(whole)).toBe(true);
  expect(readdirSync(folder)).toEqual(["backup.db"]);
});

const connectionLost = async (): Promise<void> => {
  throw new RpcError(14, "error reading from server: EOF");
};

test.each<[string, readonly Blob[], string | RegExp]>([
  ["nothing comes", [], "sha256 checksum not found [bytes: 0]"],
  [
    "it ends before its checksum",
    cut(database),
    `sha256 checksum not found [bytes: ${database.length}]`,
  ],
  [
    "it ends within its checksum",
    cut(whole.subarray(0, -1)),
    `sha256 checksum not found [bytes: ${whole.length - 1}]`,
  ],
  [
    "a page is missing",
    cut(Buffer.concat([whole.subarray(0, 4096), whole.subarray(8192)])),
    /SHA-256/,
  ],
  [
    "a bit is another one",
    cut(Buffer.from(whole).fill((whole[70_000] as number) ^ 4, 70_000, 70_001)),
    /SHA-256/,
  ],
  [
    "the connection is lost",
    [...cut(whole).slice(0, 5), connectionLost],
    "rpc error: code = Unavailable desc = error reading from server: EOF",
  ],
  [
    "the connection is lost at once",
    [connectionLost],
    "rpc error: code = Unavailable desc = error reading from server: EOF",
  ],
])("%s: code 5, and the file is the one before", async (_, blobs, message) => {
  const folder = scratchFolder("save");
  const path = join(folder, "backup.db");
  writeFileSync(path, "old");
  const [code, stdout, stderr] = await saveFrom(blobs, [path]);
  expect([code, stdout]).toEqual([5, ""]);
  expect(stderr).toMatch(/^Error: [^\n]+\n$/);
  const said = stderr.slice("Error: ".length, -1);
  if (typeof message === "string") expect(said).toBe(message);
  else expect(said).toMatch(message);
  expect(readdirSync(folder)).toEqual(["backup.db"]);
  expect(readFileSync(path, "utf8")).toBe("old");
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s in the middle leaves nothing", async (signal, code) => {
  const folder = scratchFolder("save");
  const io = new MemoryIo();
  const stuck = async ({ signal: given }: CallSettings): Promise<void> => {
    setImmediate(() => io.send(signal));
    await new Promise((_, reject) => {
      given?.addEventListener("abort", () => reject(given.reason));
    });
  };
  const blobs = [...cut(whole).slice(0, 3), stuck];
  const said = await saveFrom(blobs, [join(folder, "backup.db")], { io });
  expect(said).toEqual([code, "", `Error: stopped by ${signal}\n`]);
  expect(readdirSync(folder)).toEqual([]);
});

test("progress, for programs", async () => {
  const path = join(scratchFolder("save"), "backup.db");
  const [code, , stderr] = await saveFrom(cut(whole), [path, "--progress=json"]);
  expect(code).toBe(0);
  const last = JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as object;
  expect(last).toMatchObject({ phase: "receiving", done: whole.length, total: whole.length });
});

test("a place where nothing can be written to, in etcd's words", async () => {
  const folder = scratchFolder("save");
  const said = async (path: string): Promise<Said> => saveFrom(cut(whole), [path]);
  const part = join(folder, "nodir/s.db.part");
  expect(await said(join(folder, "nodir/s.db"))).toEqual([
    5,
    "",
    `Error: could not open ${part} (open ${part}: no such file or directory)\n`,
  ]);
  const there = join(folder, "there");
  mkdirSync(there);
  expect(await said(there)).toEqual([
    5,
    "",
    `Error: could not rename ${there}.part to ${there} (rename ${there}.part ${there}: file exists)\n`,
  ]);
  const taken = join(folder, "taken");
  mkdirSync(`${taken}.part`);
  expect(await said(taken)).toEqual([
    5,
    "",
    `Error: could not open ${taken}.part (open ${taken}.part: is a directory)\n`,
  ]);
  writeFileSync(join(folder, "file"), "");
  const below = join(folder, "file/s.db.part");
  expect(await said(join(folder, "file/s.db"))).toEqual([
    5,
    "",
    `Error: could not open ${below} (open ${below}: not a directory)\n`,
  ]);
  expect(readdirSync(folder).sort()).toEqual(["file", "taken.part", "there"]);
});

test("arguments and endpoints are counted before anybody is asked", async () => {
  const count: Said = [128, "", "Error: snapshot save expects one argument\n"];
  expect(await saveFrom([connectionLost], [])).toEqual(count);
  expect(await saveFrom([connectionLost], ["a", "b"])).toEqual(count);
  const what = "Error: snapshot must be requested to one selected node, not multiple";
  expect(await saveFrom([connectionLost], ["--endpoints=a,b", "x"])).toEqual([
    5,
    "",
    `${what} [a b]\n`,
  ]);
  expect(await saveFrom([connectionLost], ["--endpoints=", "x"])).toEqual([5, "", `${what} []\n`]);
  expect(existsSync("x.part")).toBe(false);
});

test("through a link, the file that it leads to is replaced by name only", async () => {
  const folder = scratchFolder("save");
  writeFileSync(join(folder, "real"), "old");
  chmodSync(join(folder, "real"), 0o400);
  symlinkSync("real", join(folder, "link"));
  expect((await saveFrom(cut(whole), [join(folder, "link")]))[0]).toBe(0);
  expect(readFileSync(join(folder, "real"), "utf8")).toBe("old");
  expect(readFileSync(join(folder, "link")).equals(whole)).toBe(true);
});
