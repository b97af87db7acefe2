import {
  type Directory,
  type OpenMode,
  type RandomAccessFile,
  ShortReadError,
} from "../../native-free/file.ts";
import { invariant } from "../../src/base/invariant.ts";
import { type Rng, rng } from "./rng.ts";
import { systemError } from "./system-error.ts";
import { type Survival, VolatileInode } from "./volatile-inode.ts";

export type { Survival } from "./volatile-inode.ts";

/** The power went out during event number `event`, or had gone out by then: the machine does nothing more. */
export class PowerCutError extends Error {
  override readonly name: string = "PowerCutError";
  readonly event: number;

  constructor(event: number) {
    super(`the power went out at event ${event}`);
    this.event = event;
  }
}

/** What changes the disk, or makes a change last. Reads are not events. */
export type DiskChange =
  | { readonly kind: "create" | "remove" | "sync"; readonly name: string }
  | {
      readonly kind: "write";
      readonly name: string;
      readonly offsetBytes: number;
      readonly bytes: number;
    }
  | { readonly kind: "truncate"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "sync-directory" };

export type DiskEvent = DiskChange & { readonly event: number };

export interface PowerCutOptions {
  /** The event, counted from 1, during which the power goes out; default never. */
  readonly cutAt?: number;
  /** Decides how far the event at the cut came; default: the same for the same `cutAt`. */
  readonly chance?: Rng;
  /** Called before each event takes effect: the moment for a `crashClone`. */
  readonly onEvent?: (event: DiskEvent) => void;
  /** What the directory calls itself in paths and errors. */
  readonly path?: string;
}

type NameChange =
  | { readonly kind: "create"; readonly name: string; readonly inode: VolatileInode }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "remove"; readonly name: string };

/**
 * A directory of files in memory that forgets, when its power is cut, what a real one may forget: writes and lengths
 * that no file `sync` covered, and names that no directory `sync` covered.
 *
 * Run the work once calmly and read `events`; then again for each `cutAt` up to it, `reboot`, and look at what is
 * left. Or run it once and take a `crashClone` at each event: cheaper, but never in the middle of a write.
 */
export class PowerCutDisk implements Directory {
  readonly path: string;
  readonly #cutAt: number;
  readonly #chance: Rng;
  readonly #onEvent: ((event: DiskEvent) => void) | undefined;
  readonly #log: DiskEvent[] = [];
  #down = false;

  readonly #names = new Map<string, VolatileInode>();
  readonly #durableNames = new Map<string, VolatileInode>();
  readonly #unsyncedNames: NameChange[] = [];

  constructor(options: PowerCutOptions = {}) {
    this.path = options.path ?? "/disk";
    this.#cutAt = options.cutAt ?? Number.POSITIVE_INFINITY;
    this.#chance = options.chance ?? rng(this.#cutAt);
    this.#onEvent = options.onEvent;
    invariant(this.#cutAt >= 1, "events are counted from 1", { cutAt: this.#cutAt });
  }

  /** How many events there were, the one at the cut included. */
  get events(): number {
    return this.#log.length;
  }

  get log(): readonly DiskEvent[] {
    return this.#log;
  }

  /** The log in words, a line per event: the argument why what was acknowledged is durable. */
  describeLog(): string {
    return this.#log.map((event) => `${event.event} ${describeChange(event)}\n`).join("");
  }

  openFile(name: string, mode: OpenMode): RandomAccessFile {
    this.#mustBeUp();
    let inode = this.#names.get(name);
    if (inode && mode === "create-exclusive") throw systemError("EEXIST", "open", this.#join(name));
    if (!inode) {
      if (mode === "read" || mode === "write")
        throw systemError("ENOENT", "open", this.#join(name));
      inode = new VolatileInode();
      const change: NameChange = { kind: "create", name, inode };
      this.#step({ kind: "create", name }, (whole) => this.#changeNames(change, whole));
    }
    return new PowerCutFile(this.#join(name), inode, mode !== "read", {
      mustBeUp: () => this.#mustBeUp(),
      step: (change, take) => this.#step(change, take),
      howMuch: (bytes) => this.#chance.int(bytes + 1),
      nameOf: (open) => this.#nameOf(open),
    });
  }

  list(): string[] {
    this.#mustBeUp();
    return [...this.#names.keys()].sort();
  }

  exists(name: string): boolean {
    this.#mustBeUp();
    return this.#names.has(name);
  }

  rename(from: string, to: string): void {
    this.#mustBeUp();
    if (!this.#names.has(from)) throw systemError("ENOENT", "rename", this.#join(from));
    const change: NameChange = { kind: "rename", name: from, to };
    this.#step(change, (whole) => this.#changeNames(change, whole));
  }

  remove(name: string): void {
    this.#mustBeUp();
    if (!this.#names.has(name)) throw systemError("ENOENT", "unlink", this.#join(name));
    const change: NameChange = { kind: "remove", name };
    this.#step(change, (whole) => this.#changeNames(change, whole));
  }

  sync(): void {
    this.#mustBeUp();
    this.#step({ kind: "sync-directory" }, (whole) => {
      if (!whole) return;
      for (const change of this.#unsyncedNames) applyName(this.#durableNames, change);
      this.#unsyncedNames.length = 0;
    });
  }

  /**
   * Ends this disk, whether its power was cut or not, and gives the one that the next start finds. Files that are
   * still open are gone: every further call on them throws.
   *
   * @param options  of the new disk: another `cutAt` cuts the power again, during recovery. Its events count from 1.
   */
  reboot(chance: Rng, survival: Survival, options: PowerCutOptions = {}): PowerCutDisk {
    this.#down = true;
    return this.crashClone(chance, survival, options);
  }

  /** What the next start would find if the power went out now. This disk goes on. */
  crashClone(chance: Rng, survival: Survival, options: PowerCutOptions = {}): PowerCutDisk {
    const next = new PowerCutDisk({ path: this.path, ...options });
    const unsynced = this.#unsyncedNames.length;
    const kept = { keep: unsynced, lose: 0, torn: chance.int(unsynced + 1) }[survival];
    const names = new Map(this.#durableNames);
    // A journaling file system keeps names in the order they changed: some first ones, never a later one alone.
    for (const change of this.#unsyncedNames.slice(0, kept)) applyName(names, change);
    for (const [name, inode] of names) {
      const survivor = new VolatileInode(inode.survivor(chance, survival));
      next.#names.set(name, survivor);
      next.#durableNames.set(name, survivor);
    }
    return next;
  }

  #join(name: string): string {
    return `${this.path}/${name}`;
  }

  /** For the log: what a file that was opened under another name is called now. */
  #nameOf(inode: VolatileInode): string {
    for (const [name, one] of this.#names) if (one === inode) return name;
    return "(removed)";
  }

  #mustBeUp(): void {
    if (this.#down) throw new PowerCutError(this.#log.length);
  }

  /**
   * One event. At the cut, `take` is called with false: as much of the event as chance will have it reaches the
   * cache, where `reboot` decides again what becomes of it.
   */
  #step(change: DiskChange, take: (whole: boolean) => void): void {
    const event: DiskEvent = { ...change, event: this.#log.length + 1 };
    this.#onEvent?.(event);
    this.#log.push(event);
    this.#down = event.event >= this.#cutAt;
    take(!this.#down);
    this.#mustBeUp();
  }

  #changeNames(change: NameChange, whole: boolean): void {
    if (!whole && this.#chance.bool()) return;
    applyName(this.#names, change);
    this.#unsyncedNames.push(change);
  }
}

function applyName(names: Map<string, VolatileInode>, change: NameChange): void {
  if (change.kind === "create") {
    names.set(change.name, change.inode);
    return;
  }
  const inode = names.get(change.name);
  invariant(inode !== undefined, "a name is there when it is renamed or removed", change);
  names.delete(change.name);
  if (change.kind === "rename") names.set(change.to, inode);
}

function describeChange(change: DiskChange): string {
  switch (change.kind) {
    case "write":
      return `write ${change.name} ${change.offsetBytes}+${change.bytes}`;
    case "truncate":
      return `truncate ${change.name} to ${change.sizeBytes}`;
    case "rename":
      return `rename ${change.name} to ${change.to}`;
    case "sync-directory":
      return "sync directory";
    default:
      return `${change.kind} ${change.name}`;
  }
}

interface Power {
  mustBeUp(): void;
  step(change: DiskChange, take: (whole: boolean) => void): void;
  /** How many of `bytes` reach the cache when the power goes out while they are written. */
  howMuch(bytes: number): number;
  nameOf(inode: VolatileInode): string;
}

class PowerCutFile implements RandomAccessFile {
  readonly path: string;
  readonly #inode: VolatileInode;
  readonly #writable: boolean;
  readonly #power: Power;
  #open = true;

  constructor(path: string, inode: VolatileInode, writable: boolean, power: Power) {
    this.path = path;
    this.#inode = inode;
    this.#writable = writable;
    this.#power = power;
  }

  size(): number {
    this.#mustBeOpen("fstat");
    return this.#inode.size;
  }

  read(offsetBytes: number, into: Uint8Array): void {
    const got = this.readSome(offsetBytes, into);
    if (got < into.length) throw new ShortReadError(this.path, offsetBytes, into.length, got);
  }

  readSome(offsetBytes: number, into: Uint8Array): number {
    this.#mustBeOpen("read");
    return this.#inode.read(offsetBytes, into);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    this.writeParts(offsetBytes, [bytes]);
  }

  writeParts(offsetBytes: number, parts: readonly Uint8Array[]): void {
    this.#mustBeOpen("write");
    if (!this.#writable) throw systemError("EBADF", "write");
    const all = Uint8Array.from(Buffer.concat(parts));
    if (all.length === 0) return;
    const change = { kind: "write", name: this.#name, offsetBytes, bytes: all.length } as const;
    this.#power.step(change, (whole) => {
      const taken = whole ? all.length : this.#power.howMuch(all.length);
      this.#inode.write(offsetBytes, all.subarray(0, taken));
    });
  }

  truncate(sizeBytes: number): void {
    this.#mustBeOpen("ftruncate");
    if (!this.#writable || sizeBytes < 0) throw systemError("EINVAL", "ftruncate");
    this.#power.step({ kind: "truncate", name: this.#name, sizeBytes }, (whole) => {
      if (whole || this.#power.howMuch(1) === 1) this.#inode.truncate(sizeBytes);
    });
  }

  sync(): void {
    this.#mustBeOpen("fdatasync");
    this.#power.step({ kind: "sync", name: this.#name }, (whole) => {
      if (whole) this.#inode.sync();
    });
  }

  close(): void {
    this.#open = false;
  }

  get #name(): string {
    return this.#power.nameOf(this.#inode);
  }

  #mustBeOpen(syscall: string): void {
    this.#power.mustBeUp();
    if (!this.#open) throw systemError("EBADF", syscall);
  }
}
