/** Random appends to a log, and what of them may and must be there after the power was gone. */

import type { Entry } from "../../src/wal/entry.ts";
import type { HardState } from "../../src/wal/hard-state.ts";
import type { Wal } from "../../src/wal/wal.ts";
import type { Rng } from "./rng.ts";

/** Everything that was ever appended, in order, and how much of that was acknowledged. */
export class WalModel {
  readonly appended: Entry[] = [];
  readonly states: HardState[] = [];
  ackedEntries = 0;
  ackedStates = 0;
  snapshotIndex = 0;
  term = 1;

  /** The log after the first `count` appends: a later entry replaces those from its index on. */
  entriesAfter(count: number): Entry[] {
    const entries: Entry[] = [];
    for (const entry of this.appended.slice(0, count)) {
      entries.length = entry.index - 1;
      entries.push(entry);
    }
    return entries;
  }

  get lastIndex(): number {
    return this.appended.at(-1)?.index ?? 0;
  }

  /**
   * Whether a log that was read after a power loss is one that may be there: some of the appends from the first one on,
   * all of the acknowledged ones among them.
   * @returns how many appends it has; undefined if it is none of that
   */
  find(entries: readonly Entry[], hardState: HardState): number | undefined {
    const state = this.states.findLastIndex((one) => same(one, hardState));
    if (state + 1 < this.ackedStates) return undefined;
    const dump = describeEntries(entries);
    for (let count = this.ackedEntries; count <= this.appended.length; count++) {
      if (describeEntries(this.entriesAfter(count)) === dump) return count;
    }
    return undefined;
  }

  /** Goes on from what was found. */
  forgetBeyond(count: number, hardState: HardState): void {
    this.appended.length = count;
    this.ackedEntries = count;
    this.states.length = this.states.findLastIndex((one) => same(one, hardState)) + 1;
    this.ackedStates = this.states.length;
  }
}

function same(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}

/** One line each; comparing these is much quicker than comparing values with their bytes. */
export function describeEntries(entries: readonly Entry[]): string {
  return entries
    .map(
      ({ type, term, index, data }) =>
        `${type} ${term} ${index} ${Buffer.from(data ?? "").toString("base64")}`,
    )
    .join("\n");
}

export interface LoadShape {
  readonly steps: number;
  /** The longest data, in bytes. */
  readonly dataBytesMax: number;
}

/**
 * Appends in groups that wait together, now and then with a snapshot, a change of the commit index alone, or a new
 * leader's entries in the place of old ones. Throws what the log throws, after all of it was told.
 */
export async function runWalLoad(
  wal: Wal,
  model: WalModel,
  chance: Rng,
  shape: LoadShape,
): Promise<void> {
  for (let step = 0; step < shape.steps; step++) {
    const waiting: Promise<void>[] = [];
    for (let calls = 1 + chance.int(4); calls > 0; calls--)
      waiting.push(one(wal, model, chance, shape));
    const outcomes = await Promise.allSettled(waiting);
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }
}

async function one(wal: Wal, model: WalModel, chance: Rng, shape: LoadShape): Promise<void> {
  const kind = chance.int(12);
  if (kind === 0 && model.lastIndex > model.snapshotIndex) {
    model.snapshotIndex = model.lastIndex;
    const term = model.appended.at(-1)?.term ?? 0;
    await wal.saveSnapshot({ index: model.snapshotIndex, term });
    return;
  }
  if (kind === 1 && model.lastIndex > 0) {
    const state = { term: model.term, vote: 7n, commit: model.lastIndex };
    model.states.push(state);
    await wal.append([], state);
    return; // Not synced: not acknowledged either.
  }
  let index = model.lastIndex + 1;
  if (kind === 2 && model.lastIndex > model.snapshotIndex) {
    model.term++;
    index = model.snapshotIndex + 1 + chance.int(model.lastIndex - model.snapshotIndex);
  }
  const entries: Entry[] = [];
  for (let count = chance.int(4); count >= 0; count--) {
    entries.push({ type: 0, term: model.term, index: index++, data: randomData(chance, shape) });
  }
  const hasState = chance.bool(0.8);
  const state = { term: model.term, vote: 7n, commit: index - 1 };
  model.appended.push(...entries);
  if (hasState) model.states.push(state);
  const { length } = model.appended;
  const states = model.states.length;
  await (hasState ? wal.append(entries, state) : wal.append(entries));
  model.ackedEntries = Math.max(model.ackedEntries, length);
  model.ackedStates = Math.max(model.ackedStates, states);
}

/** Some of it zeros, by the sector: data that looks as if it had been lost. */
function randomData(chance: Rng, { dataBytesMax }: LoadShape): Uint8Array | undefined {
  if (chance.bool(0.1)) return undefined;
  const length = chance.bool(0.3)
    ? chance.int(dataBytesMax + 1)
    : chance.int(Math.min(300, dataBytesMax) + 1);
  const bytes = chance.bytes(length);
  if (chance.bool(0.2)) bytes.fill(0, chance.int(length + 1));
  return bytes;
}
