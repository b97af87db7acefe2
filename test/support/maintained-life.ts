/**
 * A store's life on a disk that tests break, with everything long at once: beside a load it is defragmented, compacted,
 * hashed, saved to a folder of the same disk, given other members and alarms. What was acknowledged of all that is
 * noted, and looked for in what is found afterwards.
 */
import { createHash } from "node:crypto";
import type { Directory, DirectoryTree } from "../../native-free/file.ts";
import {
  EtcdError,
  type HashKvResponse,
  type Strata,
  StrataError,
  type StrataOptions,
} from "../../src/index.ts";
import { unfinishedName, writeWhole } from "../../src/jobs/whole-file.ts";
import { ManualClock } from "./manual-clock.ts";
import { type Rng, rng } from "./rng.ts";
import { mustCheckClean, mustRecover, openTiny } from "./store-life.ts";
import { OpSource, type StoreOp, tryPerform } from "./store-ops.ts";
import { StoreWitness } from "./store-witness.ts";

const SHAPE = { keys: 12, valueBytesMax: 2500, compactBack: 25, compactEvery: 12 };

/** Where snapshots are saved to. */
export const BACKUPS = "backups";

export interface MaintainedOptions {
  readonly seed: number;
  /** How often it is opened. */
  readonly lives: number;
  /** Groups of work in each. */
  readonly groups: number;
  readonly store?: StrataOptions;
}

let lastPort = 1000;

/** What was acknowledged, and what is in doubt. */
export class MaintainedWitness {
  readonly ops: StoreWitness;
  readonly #hashes: HashKvResponse[];
  readonly #saved: Map<string, bigint>;
  readonly #added: Set<bigint>;
  readonly #removed: Set<bigint>;
  /** A removal was asked for. */
  readonly #leaving: Set<bigint>;
  #alarm: "raised" | "none" | "maybe" = "none";
  /** What long work was answered with, where that is neither success nor what was to be expected. */
  readonly troubles: unknown[] = [];

  readonly #busy = new Set<string>();

  constructor(from?: MaintainedWitness) {
    this.ops = from === undefined ? new StoreWitness() : from.ops.clone();
    this.#hashes = from === undefined ? [] : [...from.#hashes];
    this.#saved = new Map(from === undefined ? [] : from.#saved);
    this.#added = new Set(from === undefined ? [] : from.#added);
    this.#removed = new Set(from === undefined ? [] : from.#removed);
    this.#leaving = new Set(from === undefined ? [] : from.#leaving);
    this.#alarm = from === undefined ? "none" : from.#alarm;
  }

  async perform(store: Strata, op: StoreOp): Promise<void> {
    this.ops.asked(op);
    const ack = await tryPerform(store, op);
    if (ack === undefined) this.ops.refused(op.id);
    else this.ops.acknowledged(ack);
  }

  /** Something long, drawn by chance. Never rejects: see `troubles`. */
  async maintain(store: Strata, backups: Directory, chance: Rng): Promise<void> {
    const draw = chance.int(100);
    const name = `${chance.int(2)}.db`;
    const work =
      draw < 40
        ? this.#defragment(store, chance)
        : draw < 65
          ? this.#alone(name, () => this.#save(store, backups, name))
          : draw < 80
            ? this.#hash(store)
            : draw < 92
              ? this.#alone("members", () => this.#changeMembers(store))
              : this.#alone("alarms", () => this.#changeAlarm(store));
    await work.catch((error: unknown) => {
      // What an etcd would refuse as well: overtaken by a compaction; a learner is there of whom nobody was sure.
      if (!(error instanceof EtcdError)) this.troubles.push(error);
    });
  }

  /** Unless such work is under way. */
  async #alone(what: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(what)) return;
    this.#busy.add(what);
    try {
      await work();
    } finally {
      this.#busy.delete(what);
    }
  }

  async #defragment(store: Strata, chance: Rng): Promise<void> {
    const stop = new AbortController();
    const reason = new Error("somebody has lost patience");
    const turns = chance.bool(0.3) ? chance.int(12) : Number.POSITIVE_INFINITY;
    let isOver = false;
    const waiting = (async () => {
      for (let i = 0; i < turns && !isOver; i++) await new Promise(setImmediate);
      if (!isOver) stop.abort(reason);
    })();
    try {
      await store.defragment({ force: true, signal: stop.signal });
    } catch (error) {
      if (error !== reason) throw error;
    } finally {
      isOver = true;
      await waiting;
    }
  }

  async #save(store: Strata, backups: Directory, name: string): Promise<void> {
    const snapshot = await store.snapshot();
    try {
      // From now on the one before may be gone.
      this.#saved.delete(name);
      await writeWhole(backups, name, async (file) => {
        let bytes = 0;
        for await (const piece of snapshot) {
          file.write(bytes, piece);
          bytes += piece.length;
        }
        file.sync();
      });
      this.#saved.set(name, snapshot.revision);
    } finally {
      await snapshot.close();
    }
  }

  async #hash(store: Strata): Promise<void> {
    this.#hashes.push(await store.hashKv());
  }

  async #changeMembers(store: Strata): Promise<void> {
    const { members } = store.member;
    const [first] = [...this.#added].filter((id) => !this.#leaving.has(id));
    if (first === undefined) {
      const { id } = await members.add([`http://127.0.0.1:${++lastPort}`], true);
      this.#added.add(id);
      return;
    }
    this.#leaving.add(first);
    await members.remove(first);
    this.#removed.add(first);
  }

  async #changeAlarm(store: Strata): Promise<void> {
    if (this.#alarm !== "none") return this.disarm(store);
    this.#alarm = "maybe";
    await store.alarms.activate("noSpace");
    this.#alarm = "raised";
  }

  get isAlarmed(): boolean {
    return this.#alarm !== "none";
  }

  async disarm(store: Strata): Promise<void> {
    this.#alarm = "maybe";
    const gone = await store.alarms.disarm("noSpace");
    // One that is in the log of a store that has failed, and nowhere else, is not taken away.
    if (gone.length > 0 || store.status().failure === undefined) this.#alarm = "none";
  }

  /**
   * Looks at everything that a start has found; then works on, and starts once more.
   * @throws (rejects) Error at the first thing that is not as it must be
   */
  async mustRecover(disk: DirectoryTree, seed: number, options: StrataOptions): Promise<void> {
    const clock = new ManualClock();
    const store = await openTiny(disk, clock, options);
    try {
      const { hash } = await together(clock, [this.mustHold(store, disk)]).then(() =>
        store.hashKv(),
      );
      await together(clock, [store.defragment({ force: true })]);
      if ((await store.hashKv()).hash !== hash) throw new Error("defragmented, HashKV is another");
      mustCheckClean(disk);
    } finally {
      await store.member.abandon().catch(() => undefined);
    }
    await mustRecover(disk, this.ops, seed, options);
  }

  async mustHold(store: Strata, disk: DirectoryTree): Promise<void> {
    mustHaveNoLitter(disk);
    this.#mustHaveAlarms(store);
    if (this.isAlarmed) await this.disarm(store);
    await this.ops.mustHold(store);
    await this.#mustHash(store);
    this.#mustHaveMembers(store);
    this.mustHaveSaved(disk);
  }

  async #mustHash(store: Strata): Promise<void> {
    const { compactedRevision } = store.status();
    for (const { hash, revision, compactRevision } of this.#hashes) {
      if (compactRevision !== compactedRevision) continue;
      const now = await store.hashKv(revision);
      if (now.hash !== hash) throw new Error(`HashKV of ${revision} was ${hash}, is ${now.hash}`);
    }
  }

  #mustHaveMembers(store: Strata): void {
    const ids = store.member.members.list().map(({ id }) => id);
    for (const id of this.#added) {
      if (!this.#leaving.has(id) && !ids.includes(id)) throw new Error(`member ${id} is lost`);
      if (this.#removed.has(id) && ids.includes(id)) throw new Error(`member ${id} is back`);
    }
  }

  #mustHaveAlarms(store: Strata): void {
    const isThere = store.alarms.list().length > 0;
    if (this.#alarm === "raised" && !isThere) throw new Error("the alarm is lost");
    if (this.#alarm === "none" && isThere) throw new Error("the alarm is back");
    this.#alarm = isThere ? "raised" : "none";
  }

  /** Every snapshot that was saved is there, and none that is not whole has its name. */
  mustHaveSaved(disk: DirectoryTree): void {
    const folder = disk.folder(BACKUPS);
    for (const name of this.#saved.keys()) {
      if (!folder.exists(name)) throw new Error(`${name} was saved, and is not there`);
    }
    for (const name of folder.list()) {
      if (name.endsWith(unfinishedName(""))) continue;
      const bytes = read(folder, name);
      const sum = createHash("sha256").update(bytes.subarray(0, -32)).digest();
      if (!bytes.subarray(-32).equals(sum)) throw new Error(`${name} is not whole`);
    }
  }
}

/**
 * Opens, works, closes or is killed, again and again. The same options do the same on the same disk.
 * @throws (rejects) the first thing that goes wrong, also beside the load; `witness` then says what may be found
 */
export async function liveMaintained(
  disk: DirectoryTree,
  witness: MaintainedWitness,
  options: MaintainedOptions,
  firstId = 1,
): Promise<void> {
  const chance = rng(options.seed);
  const source = new OpSource(chance, SHAPE, firstId);
  for (let life = 0; life < options.lives; life++) {
    const clock = new ManualClock(life * 1_000_000);
    const store = await openTiny(disk, clock, options.store);
    try {
      if (witness.isAlarmed) await together(clock, [witness.disarm(store)]);
      for (let group = 0; group < options.groups; group++) {
        await workMaintained(store, disk, clock, witness, source, chance);
        const [trouble] = witness.troubles;
        if (trouble !== undefined) throw trouble;
      }
      if (life % 2 === 0) await store.close();
    } finally {
      await store.member.abandon().catch(() => undefined);
    }
  }
}

/** One group: some operations, some long work, all at once. @throws (rejects) as the operations do */
export async function workMaintained(
  store: Strata,
  disk: DirectoryTree,
  clock: ManualClock,
  witness: MaintainedWitness,
  source: OpSource,
  chance: Rng,
): Promise<void> {
  if (witness.isAlarmed) await together(clock, [witness.disarm(store)]);
  const backups = disk.folder(BACKUPS);
  const long = Array.from({ length: chance.int(4) }, () =>
    witness.maintain(store, backups, chance),
  );
  // Under an alarm that was just raised, puts are refused for good reason.
  const count = witness.isAlarmed ? 0 : 1 + chance.int(4);
  const ops = Array.from({ length: count }, async (_, i) => {
    const op = source.next();
    for (let turns = i; turns > 0; turns--) await new Promise(setImmediate);
    await witness.perform(store, op);
  });
  await together(clock, [...ops, ...long]);
  if (chance.bool(0.2)) await clock.advance(25);
}

/** Winds the clock on until all of it is over. @throws (rejects) what the first that failed was answered with */
export async function together(
  clock: ManualClock,
  work: readonly Promise<unknown>[],
): Promise<void> {
  let pending = true;
  const settled = Promise.allSettled(work).finally(() => {
    pending = false;
  });
  while (pending) await clock.advance(1);
  for (const outcome of await settled) if (outcome.status === "rejected") throw outcome.reason;
}

export function mustHaveNoLitter(disk: DirectoryTree): void {
  const files = disk.folder("member").folder("snap").list();
  const litter = files.filter((name) => !/^(db|[0-9a-f-]+\.snap)$/.test(name));
  if (litter.length > 0) throw new Error(`left after a start: ${litter.join(", ")}`);
}

/** What is at the bottom of an error. */
export function rootOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof StrataError && cause.cause !== undefined) cause = cause.cause;
  return cause;
}

function read(folder: Directory, name: string): Buffer {
  const file = folder.openFile(name, "read");
  const bytes = Buffer.alloc(file.size());
  file.read(0, bytes);
  file.close();
  return bytes;
}
