/** Which user keys are alive, counted exactly and in little memory while revisions pass by in order. */
import { extended, KeyTable } from "./key-table.ts";

const DEAD = 0;
const ALIVE = 1;

export class LiveKeys {
  readonly #keys = new KeyTable();
  #states = new Uint8Array(1 << 11);
  #alive = 0;

  get count(): number {
    return this.#alive;
  }

  /** A put of the key. */
  put(bytes: Uint8Array, offset: number, length: number): void {
    const entry = this.#keys.add(bytes, offset, length);
    if (entry >= this.#states.length) {
      this.#states = extended(this.#states, new Uint8Array(this.#states.length * 2));
    }
    if (this.#states[entry] === DEAD) {
      this.#states[entry] = ALIVE;
      this.#alive++;
    }
  }

  /** A tombstone of the key. */
  remove(bytes: Uint8Array, offset: number, length: number): void {
    const entry = this.#keys.find(bytes, offset, length);
    if (entry >= 0 && this.#states[entry] === ALIVE) {
      this.#states[entry] = DEAD;
      this.#alive--;
    }
  }
}
