/**
 * What many clients saw of one store, held against the one history that there must have been: every answer fits the
 * order of revisions, that order fits the clock, and each watcher was told all of it, once, in order and in whole.
 *
 * Each put has a value of its own, so that it is known by what it left behind, even if nobody answered it.
 */
import type { Kv } from "../conformance/client.ts";

export type Asked =
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "get"; readonly key: string; readonly serializable: boolean }
  | { readonly kind: "all"; readonly serializable: boolean }
  /** Puts if the key's revision is as given. */
  | {
      readonly kind: "swap";
      readonly key: string;
      readonly modRevision: number;
      readonly value: string;
    }
  /** A transaction that puts the one and deletes the other. */
  | {
      readonly kind: "move";
      readonly from: string;
      readonly to: string;
      readonly value: string;
    };

export interface Answered {
  /** The header's. */
  readonly revision: number;
  /** A write: whether it changed anything. A swap: whether it was made. */
  readonly changed: boolean;
  /** Of a read, or of a swap that was not made. */
  readonly kvs: readonly Kv[];
  /** Of a put or a delete: the pair of before. */
  readonly before: Kv | undefined;
}

export interface Operation {
  readonly asked: Asked;
  readonly startMs: number;
  /** Infinity: nobody knows whether it was done. */
  endMs: number;
  answered: Answered | undefined;
}

export interface Event {
  readonly type: "put" | "delete";
  readonly kv: Kv;
}

/** One answer on a watch. Without events it is a bookmark. */
export interface Told {
  readonly atMs: number;
  readonly revision: number;
  readonly events: readonly Event[];
  /** How often it had been connected again by then. */
  readonly life: number;
}

export interface Watched {
  readonly name: string;
  /** Undefined: all keys. */
  readonly key: string | undefined;
  readonly told: readonly Told[];
}

/** What each revision changed. */
export class History {
  readonly #revisions = new Map<number, readonly Event[]>();
  readonly #keys = new Map<string, { readonly revision: number; readonly kv: Kv | undefined }[]>();
  last = 1;

  /** Revisions must come one after another. @returns what is wrong with it */
  add(revision: number, events: readonly Event[]): string[] {
    const wrong: string[] = [];
    if (revision !== this.last + 1) wrong.push(`revision ${revision} comes after ${this.last}`);
    this.last = revision;
    this.#revisions.set(revision, events);
    for (const { type, kv } of events) {
      const before = this.at(kv.key, revision - 1);
      const created = before?.createRevision ?? revision;
      const version = (before?.version ?? 0) + 1;
      const right =
        kv.modRevision === revision &&
        (type === "delete" ? before !== undefined : kv.createRevision === created) &&
        (type === "delete" || kv.version === version);
      if (!right) wrong.push(`revision ${revision} after ${show(before)}: ${type} ${show(kv)}`);
      const states = this.#keys.get(kv.key) ?? [];
      states.push({ revision, kv: type === "put" ? kv : undefined });
      this.#keys.set(kv.key, states);
    }
    return wrong;
  }

  of(revision: number): readonly Event[] {
    return this.#revisions.get(revision) ?? [];
  }

  at(key: string, revision: number): Kv | undefined {
    return this.#keys.get(key)?.findLast((state) => state.revision <= revision)?.kv;
  }

  all(revision: number): Kv[] {
    const keys = [...this.#keys.keys()].sort();
    return keys.flatMap((key) => this.at(key, revision) ?? []);
  }
}

/** @returns what is wrong, nothing if all is well */
export function violations(
  operations: readonly Operation[],
  history: History,
  watches: readonly Watched[],
): string[] {
  const points = pointsOf(operations, history);
  return [
    ...points.wrong,
    ...operations.flatMap((operation) => misreadings(operation, history)),
    ...againstTheClock(operations, points.of),
    ...watches.flatMap((watch) => mistold(watch, history)),
  ];
}

/** Where an operation stands in the order of revisions: at its own if it wrote, else after all up to one. */
interface Point {
  readonly revision: number;
  readonly wrote: boolean;
}

/** Everything that happened was asked for, once; everything that was answered happened. */
function pointsOf(
  operations: readonly Operation[],
  history: History,
): { of: Map<Operation, Point>; wrong: string[] } {
  const of = new Map<Operation, Point>();
  const wrong: string[] = [];
  const byValue = new Map<string, Operation>();
  const byRevision = new Map<number, Operation>();
  const lostDeletes: Operation[] = [];
  for (const operation of operations) {
    const { asked, answered } = operation;
    if ("value" in asked) byValue.set(asked.value, operation);
    if (answered === undefined) {
      if (asked.kind === "delete") lostDeletes.push(operation);
      continue;
    }
    const { revision, changed } = answered;
    const wrote = changed && asked.kind !== "get" && asked.kind !== "all";
    of.set(operation, { revision, wrote });
    if (revision > history.last) wrong.push(`lost: revision ${revision} of ${tell(operation)}`);
    if (!wrote) continue;
    const other = byRevision.get(revision);
    if (other !== undefined) wrong.push(`revision ${revision} twice: ${tell(operation)}`);
    byRevision.set(revision, operation);
  }
  for (let revision = 2; revision <= history.last; revision++) {
    const events = history.of(revision);
    const put = events.find(({ type }) => type === "put");
    let owner = byRevision.get(revision);
    if (owner === undefined) {
      if (put !== undefined) owner = byValue.get(put.kv.value);
      else {
        const key = events[0]?.kv.key;
        const at = lostDeletes.findIndex(({ asked }) => "key" in asked && asked.key === key);
        owner = lostDeletes.splice(at, at < 0 ? 0 : 1)[0];
      }
      if (owner === undefined || owner.answered !== undefined || of.has(owner)) {
        wrong.push(`nobody asked for revision ${revision}: ${show(events[0]?.kv)}`);
        continue;
      }
      of.set(owner, { revision, wrote: true });
    }
    const got = events.map(({ type, kv }) => `${type} ${kv.key}=${kv.value}`).join();
    if (!effectsOf(owner.asked).includes(got)) {
      wrong.push(`revision ${revision} is ${got}, but it was asked for ${tell(owner)}`);
    }
  }
  return { of, wrong };
}

/** What a write may leave behind: a move has nothing to delete if there is nothing. */
function effectsOf(asked: Asked): string[] {
  if (asked.kind === "delete") return [`delete ${asked.key}=`];
  if (asked.kind === "put" || asked.kind === "swap") return [`put ${asked.key}=${asked.value}`];
  if (asked.kind !== "move") return [];
  const put = `put ${asked.to}=${asked.value}`;
  return [`${put},delete ${asked.from}=`, put];
}

/** What an answer says of the store must have been so at its revision. */
function misreadings(operation: Operation, history: History): string[] {
  const { asked, answered } = operation;
  if (answered === undefined) return [];
  const { revision, changed, kvs, before } = answered;
  const same = (name: string, got: readonly Kv[], wanted: readonly Kv[]): string[] => {
    const [have, want] = [got.map(show).join(), wanted.map(show).join()];
    return have === want ? [] : [`${name} of ${tell(operation)}: ${have}, but it was ${want}`];
  };
  const at = (key: string, when: number): Kv[] => [history.at(key, when) ?? []].flat();
  switch (asked.kind) {
    case "get":
      return same("answer", kvs, at(asked.key, revision));
    case "all":
      return same("answer", kvs, history.all(revision));
    case "put":
      return same("pair before", [before ?? []].flat(), at(asked.key, revision - 1));
    case "delete": {
      const then = at(asked.key, changed ? revision - 1 : revision);
      return same("pair before", [before ?? []].flat(), then);
    }
    case "swap": {
      const then = at(asked.key, changed ? revision - 1 : revision);
      if (((then[0]?.modRevision ?? 0) === asked.modRevision) !== changed) {
        return [`${changed ? "made" : "not made"} at ${show(then[0])}: ${tell(operation)}`];
      }
      return changed ? [] : same("answer", kvs, then);
    }
    case "move":
      return [];
  }
}

/** Who begins after another has been answered comes after it, but for reads that may be stale. */
function againstTheClock(
  operations: readonly Operation[],
  points: ReadonlyMap<Operation, Point>,
): string[] {
  const wrong: string[] = [];
  const ended = [...points.keys()]
    .filter(({ endMs }) => endMs < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.endMs - b.endMs);
  let floor = 0;
  let next = 0;
  for (const operation of [...operations].sort((a, b) => a.startMs - b.startMs)) {
    for (let done = ended[next]; done !== undefined && done.endMs < operation.startMs; ) {
      floor = Math.max(floor, points.get(done)?.revision ?? 0);
      done = ended[++next];
    }
    const point = points.get(operation);
    const { asked } = operation;
    if (point === undefined || ("serializable" in asked && asked.serializable)) continue;
    if (point.wrote ? point.revision <= floor : point.revision < floor) {
      wrong.push(`${floor} had been answered before this began: ${tell(operation)}`);
    }
  }
  return wrong;
}

function mistold({ name, key, told }: Watched, history: History): string[] {
  const wrong: string[] = [];
  let last = 0;
  let bookmark = 0;
  for (const { revision, events } of told) {
    if (events.length === 0) {
      if (revision < last) wrong.push(`${name}: bookmark ${revision} after ${last}`);
      bookmark = Math.max(bookmark, revision);
      continue;
    }
    const revisions = [...new Set(events.map(({ kv }) => kv.modRevision))];
    for (const at of revisions) {
      if (at <= last) wrong.push(`${name}: revision ${at} after ${last}`);
      if (at <= bookmark) wrong.push(`${name}: revision ${at} after bookmark ${bookmark}`);
      const wanted = eventsFor(history, at, key);
      const got = events.filter(({ kv }) => kv.modRevision === at).map(showEvent);
      if (got.join() !== wanted.join()) wrong.push(`${name}: ${got} is not ${wanted}`);
      for (let missed = last + 1; missed < at; missed++) {
        if (last > 0 && eventsFor(history, missed, key).length > 0) {
          wrong.push(`${name}: was not told of ${missed}`);
        }
      }
      last = at;
    }
    if (revision < last) wrong.push(`${name}: events of ${last} in an answer of ${revision}`);
  }
  return wrong;
}

function eventsFor(history: History, revision: number, key: string | undefined): string[] {
  const events = history.of(revision).filter(({ kv }) => key === undefined || kv.key === key);
  return events.map(showEvent);
}

function showEvent({ type, kv }: Event): string {
  return `${type} ${show(kv)}`;
}

function show(kv: Kv | undefined): string {
  if (kv === undefined) return "nothing";
  return `${kv.key}=${kv.value}@${kv.modRevision} (${kv.createRevision}, ${kv.version})`;
}

function tell({ asked, answered, startMs, endMs }: Operation): string {
  const when = `${startMs.toFixed(1)} to ${endMs.toFixed(1)}`;
  return `${JSON.stringify(asked)} at ${answered?.revision ?? "?"}, ${when}`;
}
