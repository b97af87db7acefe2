import { invariant } from "../base/invariant.ts";
import type { Rng } from "./rng.ts";
import type { Survival } from "./volatile-inode.ts";

export type NameChange<Node> =
  | { readonly kind: "create"; readonly name: string; readonly node: Node }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "remove"; readonly name: string };

/** The names of files and folders in one directory: as everyone sees them, as the disk is sure to hold them, and the changes in between. */
export class VolatileNames<Node> {
  readonly #cached: Map<string, Node>;
  readonly #durable: Map<string, Node>;
  readonly #unsynced: NameChange<Node>[] = [];

  /** @param durable  what an earlier life of the directory left on the disk. */
  constructor(durable: ReadonlyMap<string, Node> = new Map()) {
    this.#cached = new Map(durable);
    this.#durable = new Map(durable);
  }

  get(name: string): Node | undefined {
    return this.#cached.get(name);
  }

  list(): string[] {
    return [...this.#cached.keys()];
  }

  /** What a file that was opened under another name is called now; undefined once it is removed. */
  nameOf(node: Node): string | undefined {
    for (const [name, one] of this.#cached) if (one === node) return name;
    return undefined;
  }

  change(change: NameChange<Node>): void {
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
  survivor(chance: Rng, survival: Survival): Map<string, Node> {
    const unsynced = this.#unsynced.length;
    const kept = { keep: unsynced, lose: 0, torn: chance.int(unsynced + 1) }[survival];
    const names = new Map(this.#durable);
    for (const change of this.#unsynced.slice(0, kept)) apply(names, change);
    return names;
  }
}

function apply<Node>(names: Map<string, Node>, change: NameChange<Node>): void {
  if (change.kind === "create") {
    names.set(change.name, change.node);
    return;
  }
  const node = names.get(change.name);
  invariant(node !== undefined, "a name is there when it is renamed or removed", change);
  names.delete(change.name);
  if (change.kind === "rename") names.set(change.to, node);
}
