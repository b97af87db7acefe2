/**
 * Pages that are read beside everything else, for the cache: see read-policy.ts for when that is.
 *
 * A page that is written while it is read, or after that, is forgotten: whoever looks for it then reads it as it is.
 */
import type { RandomAccessFile } from "../../native-free/file.ts";

/** So many at a time: the log's syncs use the same threads. */
const READS_MAX = 2;

export interface FetchHost {
  readonly pageBytes: number;
  readonly file: RandomAccessFile;
  /**
   * Bytes of page `id` as they are on the disk; they are the caller's again afterwards. Never throws.
   * @returns how many bytes the page has, if those are not all; 0: there is nothing more to be done
   */
  readonly install: (id: number, bytes: Uint8Array) => number;
  /** How long it took. */
  readonly took: (ms: number) => void;
}

interface Fetch {
  readonly promise: Promise<void>;
  isStale: boolean;
}

export class PageFetch {
  readonly #host: FetchHost;
  readonly #fetches = new Map<number, Fetch>();
  readonly #buffers: Uint8Array[];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];

  constructor(host: FetchHost) {
    this.#host = host;
    this.#buffers = Array.from({ length: READS_MAX }, () => new Uint8Array(host.pageBytes));
  }

  /**
   * Resolves when the page was read, or could not be: who needs it then finds out why. Never rejects.
   * @param readBeside  of the file
   */
  fetch(id: number, readBeside: ReadBeside): Promise<void> {
    const known = this.#fetches.get(id);
    if (known !== undefined && !known.isStale) return known.promise;
    const fetch: Fetch = {
      isStale: false,
      promise: this.#read(id, readBeside, () => fetch.isStale).finally(() => {
        if (this.#fetches.get(id) === fetch) this.#fetches.delete(id);
      }),
    };
    this.#fetches.set(id, fetch);
    return fetch.promise;
  }

  /** These are on the disk anew. */
  written(ids: Float64Array): void {
    if (this.#fetches.size === 0) return;
    for (const [id, fetch] of this.#fetches) if (ids.includes(id)) fetch.isStale = true;
  }

  async #read(id: number, readBeside: ReadBeside, isStale: () => boolean): Promise<void> {
    const buffer = await this.#buffer();
    try {
      const { file, pageBytes, took, install } = this.#host;
      const beganMs = performance.now();
      let got = await readBeside.call(file, id * pageBytes, buffer);
      took(performance.now() - beganMs);
      if (got < pageBytes || isStale()) return;
      const wholeBytes = install(id, buffer);
      if (wholeBytes === 0) return;
      const whole = new Uint8Array(wholeBytes);
      got = await readBeside.call(file, id * pageBytes, whole);
      if (got === wholeBytes && !isStale()) install(id, whole);
    } catch {
      // It is read again by whoever needs it, who says what is wrong.
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#buffers.push(buffer);
      else next(buffer);
    }
  }

  #buffer(): Promise<Uint8Array> {
    const free = this.#buffers.pop();
    if (free !== undefined) return Promise.resolve(free);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

export type ReadBeside = NonNullable<RandomAccessFile["readBeside"]>;
