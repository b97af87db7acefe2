import {
  type DirectoryTree,
  type OpenMode,
  type RandomAccessFile,
  ShortReadError,
} from "../../native-free/file.ts";
import { systemError } from "../../native-free/system-error.ts";
import {
  type DiskEvent,
  describeEvent,
  type PowerCutOptions,
  PowerSupply,
} from "./power-supply.ts";
import type { Rng } from "./rng.ts";
import { SECTOR_BYTES, type Survival, VolatileInode } from "./volatile-inode.ts";
import { type NameChange, VolatileNames } from "./volatile-names.ts";

export {
  type DiskChange,
  type DiskEvent,
  describeEvent,
  PowerCutError,
  type PowerCutOptions,
} from "./power-supply.ts";
export { SECTOR_BYTES, type Survival } from "./volatile-inode.ts";

/**
 * A directory of files in memory that forgets, when its power is cut, what a real one may forget: writes and lengths
 * that no file `sync` covered, and names that no directory `sync` covered.
 *
 * Run the work once calmly and read `events`; then again for each `cutAt` up to it, `reboot`, and look at what is
 * left. Or run it once and take a `crashClone` at each event: cheaper, but never in the middle of a write.
 */
export class PowerCutDisk implements DirectoryTree {
  #path: string;
  /** Those that were there from the beginning. Made ones are among the names. */
  readonly #folders = new Map<string, PowerCutDisk>();
  #power: PowerSupply;
  #names = new VolatileNames<VolatileInode | PowerCutDisk>();
  /** What the names in it begin with in the log. */
  #prefix = "";

  /** @param path  what the directory calls itself in paths and errors. */
  constructor(options: PowerCutOptions = {}, path = "/disk") {
    this.#path = path;
    this.#power = new PowerSupply(options);
  }

  get path(): string {
    return this.#path;
  }

  /** How many events there were, the one at the cut included; a folder's are those of the whole disk. */
  get events(): number {
    return this.#power.log.length;
  }

  get log(): readonly DiskEvent[] {
    return this.#power.log;
  }

  /** The log in words, a line per event: the argument why what was acknowledged is durable. */
  describeLog(): string {
    return this.log.map((event) => `${describeEvent(event)}\n`).join("");
  }

  /**
   * A directory in this one, with the same power: one count of events, one cut, and a reboot of the disk reboots
   * the folder (ask the disk, not the folder). One that nobody made is as if made, and made durable, before
   * everything else.
   */
  folder(name: string): PowerCutDisk {
    const made = this.#names.get(name);
    if (made instanceof PowerCutDisk) return made;
    const known = this.#folders.get(name);
    if (known) return known;
    const folder = this.#newFolder(name);
    this.#folders.set(name, folder);
    return folder;
  }

  /** Durable, as a file's name is, after a `sync` of this directory; what is in it is the folder's own to sync. */
  makeFolder(name: string): void {
    this.#power.mustBeUp();
    if (this.exists(name)) throw systemError("EEXIST", "mkdir", this.#join(name));
    this.#changeNames({ kind: "create", name, node: this.#newFolder(name) });
  }

  removeFolder(name: string): void {
    this.#power.mustBeUp();
    const node = this.#names.get(name);
    if (!(node instanceof PowerCutDisk)) throw systemError("ENOENT", "rmdir", this.#join(name));
    if (node.list().length > 0) throw systemError("ENOTEMPTY", "rmdir", this.#join(name));
    this.#changeNames({ kind: "remove", name });
  }

  openFile(name: string, mode: OpenMode): RandomAccessFile {
    this.#power.mustBeUp();
    let inode = this.#names.get(name);
    if (inode instanceof PowerCutDisk) throw systemError("EISDIR", "open", this.#join(name));
    if (inode && mode === "create-exclusive") throw systemError("EEXIST", "open", this.#join(name));
    if (!inode) {
      const mayCreate = mode === "create" || mode === "create-exclusive";
      if (!mayCreate) throw systemError("ENOENT", "open", this.#join(name));
      inode = new VolatileInode();
      this.#changeNames({ kind: "create", name, node: inode });
    }
    const opened = inode;
    const nameNow = (): string => `${this.#prefix}${this.#names.nameOf(opened) ?? "(removed)"}`;
    return new PowerCutFile(this.#join(name), inode, mode !== "read", nameNow, this.#power);
  }

  list(): string[] {
    this.#power.mustBeUp();
    return [...this.#names.list(), ...this.#folders.keys()].sort();
  }

  exists(name: string): boolean {
    return this.list().includes(name);
  }

  rename(from: string, to: string): void {
    this.#power.mustBeUp();
    const node = this.#names.get(from);
    if (!node) throw systemError("ENOENT", "rename", this.#join(from));
    const target = this.#names.get(to);
    if (this.#folders.has(to) || (target instanceof PowerCutDisk && target.list().length > 0)) {
      throw systemError("ENOTEMPTY", "rename", this.#join(to));
    }
    this.#changeNames({ kind: "rename", name: from, to });
    if (node instanceof PowerCutDisk) {
      node.#path = this.#join(to);
      node.#prefix = `${this.#prefix}${to}/`;
    }
  }

  remove(name: string): void {
    this.#power.mustBeUp();
    if (!this.#names.get(name)) throw systemError("ENOENT", "unlink", this.#join(name));
    this.#changeNames({ kind: "remove", name });
  }

  sync(): void {
    this.#power.step({ kind: "sync-directory", name: this.#prefix || "." }, (whole) => {
      if (whole) this.#names.sync();
    });
  }

  /**
   * Ends this disk, whether its power was cut or not, and gives the one that the next start finds. Files that are
   * still open are gone: every further call on them throws.
   *
   * @param options  of the new disk: another `cutAt` cuts the power again, during recovery. Its events count from 1.
   */
  reboot(chance: Rng, survival: Survival, options: PowerCutOptions = {}): PowerCutDisk {
    this.#power.turnOff();
    return this.crashClone(chance, survival, options);
  }

  /** What the next start would find if the power went out now. This disk goes on. */
  crashClone(chance: Rng, survival: Survival, options: PowerCutOptions = {}): PowerCutDisk {
    const next = new PowerCutDisk(options, this.path);
    this.#surviveInto(next, chance, survival);
    return next;
  }

  #surviveInto(next: PowerCutDisk, chance: Rng, survival: Survival): void {
    const names = this.#names.survivor(chance, survival);
    for (const [name, node] of names) {
      if (node instanceof PowerCutDisk) {
        const folder = next.#newFolder(name);
        node.#surviveInto(folder, chance, survival);
        names.set(name, folder);
      } else {
        names.set(name, new VolatileInode(node.survivor(chance, survival)));
      }
    }
    next.#names = new VolatileNames(names);
    for (const [name, folder] of this.#folders) {
      folder.#surviveInto(next.folder(name), chance, survival);
    }
  }

  #changeNames(change: NameChange<VolatileInode | PowerCutDisk>): void {
    const { kind } = change;
    const name = `${this.#prefix}${change.name}`;
    const event =
      kind === "rename" ? { kind, name, to: `${this.#prefix}${change.to}` } : { kind, name };
    this.#power.step(event, (whole) => {
      if (whole || this.#power.chance.bool()) this.#names.change(change);
    });
  }

  #newFolder(name: string): PowerCutDisk {
    const folder = new PowerCutDisk({}, this.#join(name));
    folder.#power = this.#power;
    folder.#prefix = `${this.#prefix}${name}/`;
    return folder;
  }

  #join(name: string): string {
    return `${this.path}/${name}`;
  }
}

class PowerCutFile implements RandomAccessFile {
  readonly path: string;
  readonly #inode: VolatileInode;
  readonly #writable: boolean;
  readonly #nameNow: () => string;
  readonly #power: PowerSupply;
  #open = true;

  constructor(
    path: string,
    inode: VolatileInode,
    writable: boolean,
    nameNow: () => string,
    power: PowerSupply,
  ) {
    this.path = path;
    this.#inode = inode;
    this.#writable = writable;
    this.#nameNow = nameNow;
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
    const all = Buffer.concat(parts);
    if (all.length === 0) return;
    const name = this.#nameNow();
    this.#power.step({ kind: "write", name, offsetBytes, bytes: all.length }, (whole) => {
      let taken = whole ? all.length : this.#power.chance.int(all.length + 1);
      if (!whole && this.#power.wholeSectors) {
        const end = offsetBytes + taken;
        taken = Math.max(0, end - (end % SECTOR_BYTES) - offsetBytes);
      }
      this.#inode.write(offsetBytes, all.subarray(0, taken));
    });
  }

  truncate(sizeBytes: number): void {
    this.#mustBeOpen("ftruncate");
    if (!this.#writable || sizeBytes < 0) throw systemError("EINVAL", "ftruncate");
    this.#power.step({ kind: "truncate", name: this.#nameNow(), sizeBytes }, (whole) => {
      if (whole || this.#power.chance.bool()) this.#inode.truncate(sizeBytes);
    });
  }

  sync(): void {
    this.#mustBeOpen("fdatasync");
    this.#power.step({ kind: "sync", name: this.#nameNow() }, (whole) => {
      if (whole) this.#inode.sync();
    });
  }

  /** Other work goes on between its start and its end, which is the event. */
  async writePartsBeside(offsetBytes: number, parts: readonly Uint8Array[]): Promise<void> {
    this.#mustBeOpen("write");
    await new Promise((resolve) => setImmediate(resolve));
    this.writeParts(offsetBytes, parts);
  }

  /** Other work goes on between its start and its end, which is the event; only what was before the start is covered. */
  async syncBeside(): Promise<void> {
    this.#mustBeOpen("fdatasync");
    const { changes } = this.#inode;
    await new Promise((resolve) => setImmediate(resolve));
    this.#power.step({ kind: "sync", name: this.#nameNow() }, (whole) => {
      if (whole) this.#inode.sync(changes);
    });
  }

  close(): void {
    this.#open = false;
  }

  #mustBeOpen(syscall: string): void {
    this.#power.mustBeUp();
    if (!this.#open) throw systemError("EBADF", syscall);
  }
}
