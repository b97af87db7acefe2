/** The command `leases`: each lease that is granted, and the keys that hang on it. */
import { LEASE } from "../../backend/buckets.ts";
import { jsonText } from "../../base/json.ts";
import { type LeaseRecord, shownLease } from "../../lease/lease-record.ts";
import { type Context, writeFields, writeList } from "./context.ts";
import type { Rooted } from "./inspected.ts";
import { indexKeys } from "./keys.ts";
import { READING } from "./phases.ts";
import { SchemaRows } from "./schema-rows.ts";
import { counted } from "./show.ts";
import { walkBuckets } from "./walks.ts";

export interface LeasesCommand {
  readonly name: "leases";
  /** Leases at most; 0 = all. */
  readonly limit: number;
}

/** Keys of a lease that text shows. */
const KEYS_SHOWN = 20;

export function inspectLeases(context: Context, view: Rooted, command: LeasesCommand): void {
  const { out, show, faults, progress } = context;
  progress.phase(READING, view.meta.pgid * view.pageBytes);
  const leases: LeaseRecord[] = [];
  const rows = new SchemaRows(view.pageBytes, faults, (lease) => leases.push(lease));
  walkBuckets(view, [LEASE], rows, faults, progress);
  const index = indexKeys(context, view, {}, Number.POSITIVE_INFINITY, { leases: true });
  const attached = new Map<bigint, number[]>();
  for (const entry of index.sorted()) {
    const id = index.leaseOf(entry);
    if (id === 0n) continue;
    const entries = attached.get(id);
    if (entries === undefined) attached.set(id, [entry]);
    else entries.push(entry);
  }
  const granted = new Set(leases.map(({ id }) => id));
  // etcd logs such a key when it opens the file, and lets it live for ever.
  const unknown = [...attached.keys()].filter((id) => !granted.has(id));
  const shown = command.limit === 0 ? leases : leases.slice(0, command.limit);
  if (context.json) {
    const keysOf = (id: bigint): Uint8Array[] =>
      (attached.get(id) ?? []).map((entry) => index.keys.key(entry));
    writeList(context, "leases", (element) => {
      for (const { id, ttl, remainingTtl } of shown) {
        const keys = keysOf(id);
        element(
          jsonText({
            id,
            id_hex: shownLease(id),
            ttl,
            remaining_ttl: remainingTtl === 0n ? undefined : remainingTtl,
            keys: keys.length === 0 ? undefined : keys,
          }),
        );
      }
    });
    writeList(context, "not_granted", (element) => {
      for (const id of unknown) {
        element(jsonText({ id, id_hex: shownLease(id), keys: keysOf(id) }));
      }
    });
    writeFields(context, { count: leases.length });
    return;
  }
  const writeKeys = (id: bigint): void => {
    const entries = attached.get(id) ?? [];
    for (const entry of entries.slice(0, KEYS_SHOWN)) {
      out.write(`  ${show.key(index.keys.key(entry))}\n`);
    }
    if (entries.length > KEYS_SHOWN) out.write(`  … and ${entries.length - KEYS_SHOWN} more\n`);
  };
  const head = `${"LEASE".padEnd(16)}  ${"TTL".padStart(10)}  ${"REMAINING".padStart(10)}  KEYS`;
  out.write(`${show.head(head)}\n`);
  for (const { id, ttl, remainingTtl } of shown) {
    const remaining = remainingTtl === 0n ? "-" : remainingTtl.toString();
    const keys = attached.get(id)?.length ?? 0;
    out.write(
      `${shownLease(id)}  ${ttl.toString().padStart(10)}  ${remaining.padStart(10)}  ${keys}\n`,
    );
    writeKeys(id);
  }
  for (const id of unknown) {
    out.write(show.bad(`${shownLease(id)}  not granted, yet keys hang on it:\n`));
    writeKeys(id);
  }
  const some = shown.length < leases.length ? `${shown.length} of ` : "";
  out.write(`\n${some}${counted(leases.length, "lease")}\n`);
}
