/** A copy of one cluster's keys in another, kept up as long as it is wanted. */
import type { Event } from "../../proto/tables/watch.ts";
import type { Rpc } from "../rpc.ts";
import { Syncer } from "./syncer.ts";
import { MirrorWriter, type Write } from "./writer.ts";

export interface MirrorOptions {
  /** Of the keys that are copied; empty: all. */
  readonly prefix: Uint8Array;
  /** That they have there in place of `prefix`. */
  readonly destPrefix: Uint8Array;
  /** Changes from this revision on, and nothing of what was before; 0n: what there is, and then every change. */
  readonly startRevision?: bigint | undefined;
  /** Of one transaction there; 0: as many as come together. */
  readonly maxTxnOps: number;
  readonly signal: AbortSignal;
  /** After each step. */
  readonly onProgress?: ((progress: MirrorProgress) => void) | undefined;
}

export interface MirrorProgress {
  /** Puts and deletes so far. */
  readonly operations: number;
  /** Up to which the copy has all that the source had; 0n: not yet. */
  readonly revision: bigint;
}

const DELETE = 1;

/**
 * Goes on through restarts of either side. A change of several keys at once is one there too, unless it is larger than
 * a transaction may be; changes that have piled up may become one.
 *
 * @returns when the signal aborts
 * @throws EtcdError COMPACTED if the source has given up the history that is needed; what either server refuses
 */
export async function mirror(
  source: Rpc,
  destination: Rpc,
  { prefix, destPrefix, startRevision = 0n, maxTxnOps, signal, onProgress }: MirrorOptions,
): Promise<void> {
  const moved = (key: Uint8Array): Uint8Array =>
    Buffer.concat([destPrefix, key.subarray(prefix.length)]);
  // Revision 1 is the empty store: from there on, all is there is.
  const known = startRevision > 1n ? startRevision - 1n : 0n;
  const syncer = new Syncer(source, prefix, known);
  const writer = new MirrorWriter(destination, maxTxnOps, signal);
  let operations = 0;
  const write = async (groups: readonly (readonly Write[])[], revision: bigint): Promise<void> => {
    await writer.write(groups);
    operations += groups.reduce((sum, group) => sum + group.length, 0);
    onProgress?.({ operations, revision });
  };
  try {
    if (known === 0n) {
      for await (const page of syncer.base(signal)) {
        const pairs = page.map(({ key, value }) => [{ key: moved(key), value }]);
        await write(pairs, 0n);
      }
    }
    for await (const events of syncer.updates(signal)) {
      const last = events.at(-1)?.kv?.modRevision ?? 0n;
      await write(byRevision(events, moved), last);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function byRevision(events: readonly Event[], moved: (key: Uint8Array) => Uint8Array): Write[][] {
  const groups: Write[][] = [];
  let revision: bigint | undefined;
  for (const { type, kv } of events) {
    if (kv === undefined) continue;
    const write = { key: moved(kv.key), value: type === DELETE ? undefined : kv.value };
    const group = groups.at(-1);
    if (group === undefined || kv.modRevision !== revision) groups.push([write]);
    else group.push(write);
    revision = kv.modRevision;
  }
  return groups;
}
