/** The types of `strata/client`, as a program has them: compiled against the built package, declarations and all. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { builtFile } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";

const ROOT = join(import.meta.dirname, "../..");

const PROGRAM = `
import { pipeline } from "node:stream/promises";
import { createWriteStream } from "node:fs";
import { Strata } from "strata";
import { Client, compare, EtcdError, type HeldLease, op, type WatchResponse } from "strata/client";

/** What both have: one line decides which it is. */
type Both =
  | "put" | "get" | "range" | "rangeAll" | "count" | "delete" | "txn" | "compact" | "watch" | "hashKv" | "hash";
type BothLeases = "grant" | "revoke" | "keepAlive" | "timeToLive" | "list";
type Store = Pick<Strata, Both> & { readonly lease: Pick<Strata["lease"], BothLeases> };

const client = new Client({ endpoints: ["a:1", "b:2"], tls: { ca: "" }, requestTimeoutMs: 1000 });
const remote: Store = client;
export const opened: Store = process.argv[2] === "" ? remote : await Strata.open({ memory: true });

export async function program(store: Strata | Client, signal: AbortSignal): Promise<void> {
  const { revision, prevKv } = await store.put("a", new Uint8Array(1), { prevKv: true, signal });
  const text: string | undefined = prevKv?.value.string();
  const wide: bigint = revision;
  for await (const { key, modRevision } of store.range({ prefix: "a" }, { revision, limit: 10 })) {
    const both: [string, bigint] = [key.string(), modRevision];
    void both;
  }
  const { succeeded, responses } = await store.txn({
    compare: [compare.version("a", "=", 1), compare.value("a", "!=", "x")],
    success: [op.put("a", "1"), op.get({ start: "a", end: "b" }), op.delete({ prefix: "" })],
  });
  const [first] = responses;
  if (succeeded && first?.kind === "put") void first.revision;
  const watch = store.watch({ prefix: "" }, { startRevision: 1n, prevKv: true, signal });
  for await (const { events } of watch) for (const { type, kv } of events) void [type, kv.lease];
  const began: bigint | undefined = await watch.created;
  await pipeline(await store.snapshot({ onProgress: ({ done }) => void done }), createWriteStream("x"));
  void [text, wide, began, await store.hashKv(), await store.alarms.list()];
}

export async function cluster(signal: AbortSignal): Promise<HeldLease> {
  await using lock = await client.lock("l", { ttl: 5, signal });
  await client.txn({ compare: [lock.isHeld], success: [] }, { timeoutMs: 5 });
  for (const { id, peerUrls } of await client.members.list()) void [id, peerUrls];
  for (const { access, keys } of (await client.roles.get("r")).permissions) {
    await client.roles.grantPermission("s", access, keys);
  }
  const { version, leader } = await client.status("a:1", { timeoutMs: 5 });
  void [version, leader];
  try {
    await client.compact(1n, { physical: true });
  } catch (error) {
    if (error instanceof EtcdError && error.code === "COMPACTED") void error.grpcStatus;
  }
  const response: WatchResponse = { revision: 1n, events: [] };
  void response;
  return client.lease.hold(10, { signal });
}

// @ts-expect-error: endpoints must be given
new Client({});
// @ts-expect-error: a value is a string or bytes
void client.put("a", 1);
// @ts-expect-error: no such access
void client.roles.grantPermission("r", "append", "a");
// @ts-expect-error: an id is a bigint
void client.lease.revoke(1);
// @ts-expect-error: revisions are bigint
export const revision: number = (await client.put("a", "1")).revision;
`;

test("a program compiles, what is wrong in it does not", () => {
  builtFile("strata");
  const folder = scratchFolder("client-types");
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(ROOT, join(folder, "node_modules/strata"));
  for (const name of ["@types/node", "undici-types"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  }
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(folder, "program.ts"), PROGRAM);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    types: ["node"],
    module: "nodenext",
    preserveSymlinks: true,
  };
  const config = { compilerOptions, files: ["program.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  let said = "";
  try {
    execFileSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
  } catch (error) {
    said = (error as { stdout: string }).stdout;
  }
  expect(said).toBe("");
});
