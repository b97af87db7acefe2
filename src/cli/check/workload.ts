/** What both checks have in common: sizes of load, the keys they write, and what is done when they are through. */

import { requestRange } from "../../api/key-range.ts";
import { quoted } from "../../base/quote.ts";
import { systemRandom } from "../../base/random.ts";
import { rawBytes } from "../../base/raw-text.ts";
import { Rpc } from "../../client/rpc.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_FEATURE, EXIT_INVALID_INPUT } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { authenticated, type ClientTransport, openTransport, type Session } from "../session.ts";

export type Size = "s" | "m" | "l" | "xl";

const SIZES: Readonly<Record<string, Size>> = {
  s: "s",
  small: "s",
  m: "m",
  medium: "m",
  l: "l",
  large: "l",
  xl: "xl",
  xLarge: "xl",
};

const CLEAN_UP_TIMEOUT_MS = 30_000;

export function checkFlags(prefix: string): FlagSpec[] {
  return [
    {
      name: "load",
      kind: "string",
      default: "s",
      help: "size of the load: s(small), m(medium), l(large), xl(xLarge)",
      values: Object.keys(SIZES),
    },
    {
      name: "prefix",
      kind: "string",
      default: prefix,
      help: "prefix of the keys that are written",
    },
    {
      name: "auto-compact",
      kind: "bool",
      default: "false",
      help: "compact the history when the check is through",
    },
    {
      name: "auto-defrag",
      kind: "bool",
      default: "false",
      help: "defragment the endpoints when the check is through",
    },
  ];
}

/** @throws Failure 4 */
export function sizeOf({ flags }: Arguments): Size {
  const load = flags.text("load");
  const size = Object.hasOwn(SIZES, load) ? SIZES[load] : undefined;
  if (size === undefined) throw new Failure(EXIT_BAD_FEATURE, `unknown load option ${load}`);
  return size;
}

/** Whoever writes there would be deleted in the end. @param shown  the command that would help @throws Failure 3 */
export async function refuseUsedPrefix(
  { rpc }: Session,
  prefix: string,
  timeoutMs: number,
  shown: string,
): Promise<void> {
  const range = requestRange({ prefix: rawBytes(prefix) });
  const { kvs } = await rpc.call(KV_METHODS.range, { ...range, limit: 1n }, { timeoutMs });
  if (kvs.length === 0) return;
  const what = `prefix ${quoted(rawBytes(prefix))} has keys. Delete with ${shown} first`;
  throw new Failure(EXIT_INVALID_INPUT, what);
}

/** Every put is of another key; the values are zeros. */
export function putter(
  clients: readonly Rpc[],
  prefix: string,
  { keyBytes, valueBytes }: { readonly keyBytes: number; readonly valueBytes: number },
): () => Promise<unknown> {
  const head = rawBytes(prefix);
  const value = Buffer.alloc(valueBytes);
  let count = 0;
  return () => {
    const key = Buffer.alloc(head.length + keyBytes);
    key.set(head);
    // By chance first, so that they come in no order.
    key.writeUInt32BE(Math.floor(systemRandom() * 2 ** 32), head.length);
    key.writeUInt32BE(count, head.length + 4);
    const client = clients[count++ % clients.length] as Rpc;
    return client.call(KV_METHODS.put, { key, value });
  };
}

/** More connections than these would be no more load. */
const CONNECTIONS_MAX = 8;

/** Runs work with clients on connections of their own, as many as there are clients, up to a point. */
export async function withClients<T>(
  { io, options, flags }: Session,
  count: number,
  work: (clients: readonly Rpc[]) => Promise<T>,
): Promise<T> {
  const transports: ClientTransport[] = [];
  try {
    for (let i = 0; i < Math.min(count, CONNECTIONS_MAX); i++) {
      const transport = await openTransport(io, options);
      transports.push(transport);
      await authenticated(transport, flags.number("dial-timeout"));
    }
    return await work(transports.map((transport) => new Rpc(transport)));
  } finally {
    await Promise.all(transports.map((transport) => transport.close()));
  }
}

/** Deletes what was written; compacts if that is wanted. @throws what the server says */
export async function cleanUp(
  { rpc, io }: Session,
  { flags }: Arguments,
  prefix: string,
): Promise<void> {
  const settings = { timeoutMs: CLEAN_UP_TIMEOUT_MS };
  const range = requestRange({ prefix: rawBytes(prefix) });
  const { header } = await rpc.call(KV_METHODS.deleteRange, range, settings);
  if (!flags.bool("auto-compact")) return;
  const revision = header?.revision ?? 0n;
  io.stdout.write(`Compacting with revision ${revision}\n`);
  await rpc.call(KV_METHODS.compact, { revision, physical: true }, settings);
  io.stdout.write(`Compacted with revision ${revision}\n`);
}

/** If that is wanted, one endpoint after another. */
export async function defragEach(
  { rpc, io, options }: Session,
  { flags }: Arguments,
): Promise<void> {
  if (!flags.bool("auto-defrag")) return;
  for (const endpoint of options.endpoints) {
    const shown = quoted(Buffer.from(endpoint));
    io.stdout.write(`Defragmenting ${shown}\n`);
    const settings = { endpoint, timeoutMs: CLEAN_UP_TIMEOUT_MS };
    await rpc.call(MAINTENANCE_METHODS.defragment, {}, settings);
    io.stdout.write(`Defragmented ${shown}\n`);
  }
}

/** One line a kind. */
export function errorLines(errors: ReadonlyMap<string, number>): string {
  if (errors.size === 0) return "";
  const lines = [...errors].map(([text, count]) => `FAIL: ERROR(${text}) -> ${count}\n`);
  return `FAIL: too many errors\n${lines.join("")}`;
}
