/** Changes of a key range, in order, as one number that is the same for whoever made them and for whoever saw them. */
import { crc32c } from "../../native-free/crc32c.ts";
import type { LaneDigest } from "./reports.ts";

export class Digest {
  readonly prefix: string;
  #changes = 0;
  #crc = 0;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  put(key: string, value: string, revision: number): void {
    this.#add(`${revision} put ${key} ${value}`);
  }

  delete(key: string, revision: number): void {
    this.#add(`${revision} delete ${key}`);
  }

  get sum(): LaneDigest {
    return { prefix: this.prefix, changes: this.#changes, crc: this.#crc };
  }

  #add(change: string): void {
    this.#changes++;
    this.#crc = crc32c(Buffer.from(change), this.#crc);
  }
}
