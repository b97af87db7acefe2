/** The page file's writer on the caller's own thread: for files in memory, and for disks that tests break. */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { StrataError } from "../base/errors.ts";
import { PageFile } from "../pagefile/page-file.ts";
import { copyName, removeLeftovers, writeFreshCopy } from "./fresh-copy.ts";
import type {
  CommitReport,
  CommitTask,
  CompactReport,
  CompactTask,
  OpenReport,
  ScanPiece,
  ScanTask,
  Storage,
  StorageOptions,
} from "./storage.ts";
import { StorageWriter } from "./storage-writer.ts";

export class InlineStorage implements Storage {
  readonly #directory: Directory;
  readonly #name: string;
  readonly #options: StorageOptions;
  #writer: StorageWriter | undefined;

  constructor(directory: Directory, name: string, options: StorageOptions) {
    this.#directory = directory;
    this.#name = name;
    this.#options = options;
  }

  async open(olderRoot: boolean): Promise<OpenReport> {
    const file: RandomAccessFile = this.#directory.openFile(this.#name, "create");
    try {
      removeLeftovers(this.#directory, this.#name);
      const pages = PageFile.open(file, { ...this.#options, olderRoot, keepOlderRoot: true });
      if (!this.#options.noSync) this.#directory.sync();
      this.#writer = new StorageWriter(pages);
    } catch (error) {
      file.close();
      throw error;
    }
    return { ...this.#open().root(), path: file.path, lockedBy: "none" };
  }

  async commit(task: CommitTask): Promise<CommitReport> {
    return this.#open().commit(task);
  }

  async compact(task: CompactTask): Promise<CompactReport> {
    return this.#open().compact(task);
  }

  async scan(task: ScanTask): Promise<ScanPiece> {
    return this.#open().scan(task);
  }

  async defragment(): Promise<OpenReport> {
    const writer = this.#open();
    const directory = this.#directory;
    const name = this.#name;
    const { noSync } = this.#options;
    const temporary = copyName(name, writer.file.meta.txid);
    const copy = directory.openFile(temporary, "create-exclusive");
    let pages: PageFile;
    try {
      writeFreshCopy(writer.file, copy, noSync);
      pages = PageFile.open(copy, { ...this.#options, keepOlderRoot: true });
      directory.rename(temporary, name);
    } catch (error) {
      copy.close();
      removeLeftovers(directory, name);
      throw error;
    }
    try {
      if (!noSync) directory.sync();
    } catch (error) {
      pages.close();
      const what = `${directory.path}/${name}: defragmented, and not durably`;
      throw new StrataError("FAILED", what, { cause: error });
    }
    writer.close();
    this.#writer = new StorageWriter(pages);
    return { ...this.#open().root(), path: `${directory.path}/${name}`, lockedBy: "none" };
  }

  async close(): Promise<void> {
    this.#writer?.close();
    this.#writer = undefined;
  }

  #open(): StorageWriter {
    if (this.#writer === undefined) {
      throw new StrataError("CLOSED", `${this.#directory.path}/${this.#name}: the file is closed`);
    }
    return this.#writer;
  }
}
