import { invariant } from "../../src/base/invariant.ts";
import type { Rng } from "./rng.ts";
import type { Survival, VolatileInode } from "./volatile-inode.ts";

export type NameChange =
  | { readonly kind: "create"; readonly name: string; readonly inode: VolatileInode }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "remove"; readonly name: string };

/** The names in one directory: as everyone sees them, as the disk is sure to hold them, and the changes in between. */
export class VolatileNames {
  readonly #cached: Map<string, VolatileInode>;
  readonly #durable: Map<string, VolatileInode>;
  readonly #unsynced: NameChange[] = [];

  /** @param durable  what an earlier life of the directory left on the disk. */
  constructor(durable: ReadonlyMap<string, VolatileInode> = new Map()) {
    this.#cached = new Map(durable);
    this.#durable = new Map(durable);
  }

  get(name: string): VolatileInode | undefined {
    return this.#cached.get(name);
  }

  list(): string[] {
    return [...this.#cached.keys()];
  }

  /** What a file that was opened under another name is called now; undefined once it is removed. */
  nameOf(inode: VolatileInode): string | undefined {
    for (const [name, one] of this.#cached) if (one === inode) return name;
    return undefined;
  }

  change(change: NameChange): void {
    apply(this.#cached, change);
    this.#unsynced.push(change);
  }

  sync(): void {
    for (const change of this.#unsynced) apply(this.#durable, change);
    this.#unsynced.length = 0;
  }

  /**
   * What is there after the power was gone. A journaling file system keeps the changes in order: torn means some first
   * ones, never a later one alone. These names are left as they are.
   */
  survivor(chance: Rng, survival: Survival): Map<string, VolatileInode> {
    const unsynced = this.#unsynced.length;
    const kept = { keep: unsynced, lose: 0, torn: chance.int(unsynced + 1) }[survival];
    const names = new Map(this.#durable);
    for (const change of this.#unsynced.slice(0, kept)) apply(names, change);
    return names;
  }
}

function apply(names: Map<string, VolatileInode>, change: NameChange): void {
  if (change.kind === "create") {
    names.set(change.name, change.inode);
    return;
  }
  const inode = names.get(change.name);
  invariant(inode !== undefined, "a name is there when it is renamed or removed", change);
  names.delete(change.name);
  if (change.kind === "rename") names.set(change.to, inode);
}
