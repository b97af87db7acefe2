/**
 * A change that hangs, on a disk that does not answer, is not left without an answer for ever: the client hears
 * `etcdserver: request timed out`, as from an etcd, and must find out by itself whether it happened.
 *
 * Changes are answered in the order in which they came, but for those that wait for something of their own. So one
 * list in that order, and one timer for all of them, that looks at its beginning: nothing is made or set for a call.
 */
import { EtcdError } from "../../base/errors.ts";
import type { Call } from "../../grpc/service.ts";

/** etcd's: 5 s and twice an election timeout of 1 s. */
export const REQUEST_TIMEOUT_MS = 7000;

const LOOKS = 14;

export class RequestTimeout {
  readonly #lookMs: number;
  #calls: Call[] = [];
  /** Beside each call: at which look it came. */
  #since: number[] = [];
  #head = 0;
  #look = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeoutMs  up to a 14th more passes */
  constructor(timeoutMs: number = REQUEST_TIMEOUT_MS) {
    this.#lookMs = timeoutMs / LOOKS;
  }

  /** How many calls are held, those included that have ended and were not yet passed by. */
  get size(): number {
    return this.#calls.length - this.#head;
  }

  /** Fails the call once its time is over, if it has not ended by then. */
  watch(call: Call): void {
    this.#drop();
    this.#calls.push(call);
    this.#since.push(this.#look);
    this.#timer ??= setInterval(() => this.#next(), this.#lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #next(): void {
    this.#look++;
    this.#drop();
    while (this.size > 0 && this.#look - (this.#since[this.#head] as number) > LOOKS) {
      this.#calls[this.#head]?.failWith(new EtcdError("TIMEOUT"));
      this.#drop();
    }
    if (this.size === 0) this.close();
  }

  /** Passes by those that have ended. */
  #drop(): void {
    while (this.#head < this.#calls.length && this.#calls[this.#head]?.ended === true) this.#head++;
    if (this.#head === this.#calls.length) {
      this.#calls.length = 0;
      this.#since.length = 0;
    } else if (this.#head > 1024) {
      this.#calls.splice(0, this.#head);
      this.#since.splice(0, this.#head);
    } else return;
    this.#head = 0;
  }
}
