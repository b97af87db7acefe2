/**
 * One client after another's heart: asks for one thing at a time, on keys that are its own, so that it knows what every
 * answer has to be.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, compare, op } from "../../src/client.ts";
import type { Rng } from "../support/rng.ts";
import { Digest } from "./digest.ts";

interface Held {
  readonly value: string;
  readonly mod: number;
  readonly create: number;
  readonly version: number;
}

export interface LaneOptions {
  readonly prefix: string;
  readonly keys: number;
  readonly valueBytesMax: number;
}

/** Seconds. */
export const LEASE_TTL = 10;

/** Keys with a lease are `lease/<what it lives>/<prefix><n>`; their values, when it was asked for. See the watch. */
export const LEASED = "lease/";

/** After so many operations most keys go, so that there is something to reclaim; then they come back. */
const CYCLE = 12_000;
const SHRINKS_AT = 9000;

export class Lane {
  readonly digest: Digest;
  readonly #client: Client;
  readonly #random: Rng;
  readonly #options: LaneOptions;
  readonly #held = new Map<string, Held>();
  readonly #writeMs: number[] = [];
  readonly #background = new Set<Promise<void>>();
  #operations = 0;
  #values = 0;
  #leases = 0;
  #failure: unknown;

  constructor(client: Client, random: Rng, options: LaneOptions) {
    this.#client = client;
    this.#random = random;
    this.#options = options;
    this.digest = new Digest(options.prefix);
  }

  get operations(): number {
    return this.#operations;
  }

  get keys(): number {
    return this.#held.size;
  }

  /** How long writes took since this was asked for last, in milliseconds. */
  takeWriteMs(): number[] {
    return this.#writeMs.splice(0);
  }

  /** @throws (rejects) Error at the first answer that is not as it must be, or that is none */
  async step(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#operations++;
    const draw = this.#random.float();
    if (draw < 0.2) await this.#get();
    else if (draw < 0.22) await this.#range();
    else if (draw < 0.35) await this.#delete();
    else if (draw < 0.5) await this.#txn();
    else if (draw < 0.53) await this.#lease();
    else await this.#put();
  }

  /** What it has, to the last key. @throws (rejects) Error */
  async settle(): Promise<void> {
    await Promise.all(this.#background);
    if (this.#failure !== undefined) throw this.#failure;
    await this.#range();
  }

  get #isShrinking(): boolean {
    return this.#operations % CYCLE > SHRINKS_AT;
  }

  #key(): string {
    return `${this.#options.prefix}${this.#random.int(this.#options.keys)}`;
  }

  #value(): string {
    const bytes = this.#random.int(this.#options.valueBytesMax);
    return `${++this.#values}:`.padEnd(bytes, "soak ");
  }

  async #timed<T>(work: Promise<T>): Promise<T> {
    const beganMs = performance.now();
    const result = await work;
    this.#writeMs.push(performance.now() - beganMs);
    return result;
  }

  async #put(): Promise<void> {
    const key = this.#key();
    if (this.#isShrinking) return this.#delete();
    const value = this.#value();
    const { revision } = await this.#timed(this.#client.put(key, value));
    this.#hold(key, value, Number(revision));
  }

  #hold(key: string, value: string, mod: number): void {
    const before = this.#held.get(key);
    const { create, version } = before ?? { create: mod, version: 0 };
    this.#held.set(key, { value, mod, create, version: version + 1 });
    this.digest.put(key, value, mod);
  }

  #drop(key: string, revision: number): void {
    this.#held.delete(key);
    this.digest.delete(key, revision);
  }

  async #delete(): Promise<void> {
    const key = this.#key();
    const isThere = this.#held.has(key);
    const { deleted, revision } = await this.#timed(this.#client.delete(key));
    if (deleted !== (isThere ? 1 : 0)) throw new Error(`delete ${key}: found ${deleted}`);
    if (isThere) this.#drop(key, Number(revision));
  }

  /** If a key is what it should be, some are changed; the comparison is made to fail now and then. */
  async #txn(): Promise<void> {
    const random = this.#random;
    const asked = this.#key();
    const mod = this.#held.get(asked)?.mod ?? 0;
    const isTrue = random.bool(0.8);
    const changed = new Set(Array.from({ length: 1 + random.int(5) }, () => this.#key()));
    const changes = [...changed].map((key) => ({
      key,
      value: random.bool(0.8) && !this.#isShrinking ? this.#value() : undefined,
    }));
    const { succeeded, revision } = await this.#timed(
      this.#client.txn({
        compare: [compare.modRevision(asked, "=", isTrue ? mod : mod + 1)],
        success: changes.map(({ key, value }) =>
          value === undefined ? op.delete(key) : op.put(key, value),
        ),
        failure: [op.get(asked)],
      }),
    );
    if (succeeded !== isTrue) throw new Error(`txn on ${asked} of ${mod}: succeeded ${succeeded}`);
    if (!succeeded) return;
    for (const { key, value } of changes) {
      if (value !== undefined) this.#hold(key, value, Number(revision));
      else if (this.#held.has(key)) this.#drop(key, Number(revision));
    }
  }

  async #get(): Promise<void> {
    const key = this.#key();
    const found = await this.#client.get(key);
    mustBe(key, found, this.#held.get(key));
  }

  async #range(): Promise<void> {
    const { kvs, count } = await this.#client.rangeAll({ prefix: this.#options.prefix });
    if (count !== this.#held.size) {
      throw new Error(`${this.#options.prefix}: ${count} keys, not ${this.#held.size}`);
    }
    for (const kv of kvs) mustBe(kv.key.string(), kv, this.#held.get(kv.key.string()));
  }

  /** A key that goes by itself after a while, or is kept alive for longer, or is revoked. */
  async #lease(): Promise<void> {
    const kind = this.#random.pick(["expires", "kept", "revoked"]);
    const askedMs = Date.now();
    const { id } = await this.#timed(this.#client.lease.grant(LEASE_TTL));
    const key = `${LEASED}${kind}/${this.#options.prefix}${++this.#leases}`;
    await this.#timed(this.#client.put(key, `${askedMs}`, { lease: id }));
    if (kind === "expires") return;
    const later = this.#later(id, kind).catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#background.add(later);
    void later.finally(() => this.#background.delete(later));
  }

  async #later(id: bigint, kind: string): Promise<void> {
    await sleep(1000 + this.#random.int(1500));
    if (kind === "revoked") await this.#client.lease.revoke(id);
    else await this.#client.lease.keepAlive(id);
  }
}

interface Found {
  readonly value: { string(): string };
  readonly modRevision: bigint;
  readonly createRevision: bigint;
  readonly version: bigint;
}

function mustBe(key: string, found: Found | undefined, held: Held | undefined): void {
  const there = found && {
    value: found.value.string(),
    mod: Number(found.modRevision),
    create: Number(found.createRevision),
    version: Number(found.version),
  };
  if (JSON.stringify(there) === JSON.stringify(orderly(held))) return;
  const show = (what: Held | undefined): string => JSON.stringify(what)?.slice(0, 200) ?? "nothing";
  throw new Error(`${key} is ${show(there)}, and not ${show(held)}`);
}

function orderly(held: Held | undefined): Held | undefined {
  return held && { value: held.value, mod: held.mod, create: held.create, version: held.version };
}
