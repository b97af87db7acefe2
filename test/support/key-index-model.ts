/**
 * The index as etcd's rules have it, word by word and as slow as that is: a map of keys to lists of generations, and
 * beside it the records that the page file would hold.
 */
import type { FoundRevision } from "../../src/mvcc/key-index.ts";

export interface Change {
  readonly main: number;
  readonly sub: number;
}

export interface Generation {
  /** Main revision of its first put. */
  create: number;
  version: number;
  revs: Change[];
}

/** What bucket `key` has of one revision. */
export interface DiskRecord extends Change {
  readonly key: string;
  readonly tombstone: boolean;
  readonly create: number;
  readonly version: number;
}

export class KeyIndexModel {
  readonly keys: Map<string, Generation[]> = new Map();
  disk: DiskRecord[] = [];

  put(key: string, main: number, sub: number): void {
    const generations = this.keys.get(key) ?? [{ create: 0, version: 0, revs: [] }];
    this.keys.set(key, generations);
    const last = lastOf(generations);
    if (last.revs.length === 0) last.create = main;
    last.revs.push({ main, sub });
    last.version++;
    const { create, version } = last;
    this.disk.push({ key, main, sub, tombstone: false, create, version });
  }

  tombstone(key: string, main: number, sub: number): boolean {
    const generations = this.keys.get(key);
    if (generations === undefined || lastOf(generations).revs.length === 0) return false;
    this.put(key, main, sub);
    this.disk.pop();
    this.disk.push({ key, main, sub, tombstone: true, create: 0, version: 0 });
    generations.push({ create: 0, version: 0, revs: [] });
    return true;
  }

  get(key: string, atRev: number): FoundRevision | undefined {
    const generations = this.keys.get(key) ?? [];
    for (let i = generations.length - 1; i >= 0; i--) {
      const { revs, create, version } = generations[i] as Generation;
      if (revs.length === 0) continue;
      if (i < generations.length - 1 && lastOf(revs).main <= atRev) return undefined;
      if ((revs[0] as Change).main > atRev) continue;
      const n = revs.findLastIndex(({ main }) => main <= atRev);
      return { ...(revs[n] as Change), create, version: version - (revs.length - n - 1) };
    }
    return undefined;
  }

  /** The keys of a range, those deleted too. */
  keysIn(start: string, end: string): string[] {
    if (end === "") return this.keys.has(start) ? [start] : [];
    return [...this.keys.keys()]
      .filter((key) => key >= start && (end === "\0" || key < end))
      .sort((a, b) => (a < b ? -1 : 1));
  }

  range(start: string, end: string, atRev: number): ({ key: string } & FoundRevision)[] {
    return this.keysIn(start, end).flatMap((key) => {
      const found = this.get(key, atRev);
      return found === undefined ? [] : [{ key, ...found }];
    });
  }

  since(
    start: string,
    end: string,
    fromRev: number,
  ): (Change & { key: string; tombstone: boolean })[] {
    return this.keysIn(start, end).flatMap((key) => {
      const generations = this.keys.get(key) ?? [];
      const changes = generations.flatMap(({ revs }, g) =>
        revs.map((rev, i) => {
          const tombstone = g < generations.length - 1 && i === revs.length - 1;
          return { key, ...rev, tombstone };
        }),
      );
      return changes.filter(({ main }, i) => main >= fromRev && changes[i + 1]?.main !== main);
    });
  }

  /** Steps 1 and 2: the generation that C meets, and the place in it of the revision to keep, or -1. */
  #meet(generations: readonly Generation[], revision: number): [number, number] {
    let i = 0;
    while (i < generations.length - 1) {
      // Beyond etcd's rule: one transaction may end a generation and begin the next, which must be kept then.
      const next = generations[i + 1]?.revs[0];
      const isSeen = next !== undefined && next.main <= revision;
      if (lastOf((generations[i] as Generation).revs).main >= revision && !isSeen) break;
      i++;
    }
    const { revs } = generations[i] as Generation;
    return [i, revs.findLastIndex(({ main }) => main <= revision)];
  }

  keep(revision: number): Change[] {
    const kept: Change[] = [];
    for (const generations of this.keys.values()) {
      const [i, n] = this.#meet(generations, revision);
      const { revs } = generations[i] as Generation;
      const isTombstone = n === revs.length - 1 && i < generations.length - 1;
      if (n >= 0 && !isTombstone) kept.push(revs[n] as Change);
    }
    return kept.sort(byRevision);
  }

  compact(revision: number): Change[] {
    const kept: Change[] = [];
    for (const [key, generations] of this.keys) {
      const [i, n] = this.#meet(generations, revision);
      const generation = generations[i] as Generation;
      if (n >= 0) {
        kept.push(generation.revs[n] as Change);
        generation.revs.splice(0, n);
      }
      generations.splice(0, i);
      if (generations.length === 1 && lastOf(generations).revs.length === 0) this.keys.delete(key);
    }
    const names = new Set(kept.map(({ main, sub }) => `${main}_${sub}`));
    this.disk = this.disk.filter(({ main, sub }) => main > revision || names.has(`${main}_${sub}`));
    return kept.sort(byRevision);
  }

  /** A model restarted from its records. */
  restarted(): KeyIndexModel {
    const model = new KeyIndexModel();
    for (const { key, main, sub, tombstone, create, version } of this.disk) {
      if (model.keys.has(key)) {
        if (tombstone) model.tombstone(key, main, sub);
        else model.put(key, main, sub);
      } else if (tombstone) {
        model.keys.set(key, [
          { create: 0, version: 1, revs: [{ main, sub }] },
          { create: 0, version: 0, revs: [] },
        ]);
      } else model.keys.set(key, [{ create, version, revs: [{ main, sub }] }]);
    }
    model.disk = this.disk.slice();
    return model;
  }

  get liveKeys(): number {
    let count = 0;
    for (const generations of this.keys.values()) {
      if (lastOf(generations).revs.length > 0) count++;
    }
    return count;
  }

  get revisions(): number {
    let count = 0;
    for (const generations of this.keys.values()) {
      for (const { revs } of generations) count += revs.length;
    }
    return count;
  }
}

export function byRevision(a: Change, b: Change): number {
  return a.main - b.main || a.sub - b.sub;
}

function lastOf<T>(list: readonly T[]): T {
  return list[list.length - 1] as T;
}
