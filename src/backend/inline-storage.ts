/** The page file's writer on the caller's own thread: for files in memory, and for disks that tests break. */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";
import { StrataError } from "../base/errors.ts";
import { PageFile } from "../pagefile/page-file.ts";
import { removeLeftovers } from "./fresh-copy.ts";
import { InlineCopy } from "./inline-copy.ts";
import type {
  CommitReport,
  CommitTask,
  CompactReport,
  CompactTask,
  CopyWork,
  FreshCopy,
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
    return this.#report();
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

  freshCopy(work: CopyWork): FreshCopy {
    return new InlineCopy(
      {
        directory: this.#directory,
        name: this.#name,
        options: this.#options,
        file: () => this.#open().file,
        moveTo: (pages) => {
          this.#open().close();
          this.#writer = new StorageWriter(pages);
          return this.#report();
        },
      },
      work,
    );
  }

  async close(): Promise<void> {
    this.#writer?.close();
    this.#writer = undefined;
  }

  #report(): OpenReport {
    return {
      ...this.#open().root(),
      path: `${this.#directory.path}/${this.#name}`,
      lockedBy: "none",
    };
  }

  #open(): StorageWriter {
    if (this.#writer === undefined) {
      throw new StrataError("CLOSED", `${this.#directory.path}/${this.#name}: the file is closed`);
    }
    return this.#writer;
  }
}
