/** Random work as a script: what `workOn` does to a transaction of ours, written down for bbolt to do. */
import { hex, latin1, viewOf } from "../../src/base/bytes.ts";
import type { Sieve } from "../../src/pagefile/prune.ts";
import type { WriteTx } from "../../src/pagefile/tx.ts";
import type { HexPath, Operation } from "./judge.ts";
import { ModelBucket, type Shape, workOn } from "./page-file-model.ts";
import type { Rng } from "./rng.ts";

/** The part of a bucket, or of a transaction, that `workOn` uses; it answers from the model, which is changed after. */
class Recorder {
  fillPercent = 0.5;
  readonly #script: Operation[];
  readonly #path: HexPath;
  readonly #model: ModelBucket;

  constructor(script: Operation[], path: HexPath, model: ModelBucket) {
    this.#script = script;
    this.#path = path;
    this.#model = model;
  }

  createBucket(name: Uint8Array): void {
    this.#script.push({ op: "createBucket", path: [...this.#path, hex(name)] });
  }

  /**
   * Inner buckets first: bbolt 1.3.6 deletes them while it iterates over them, passes over every other one, and leaks
   * its pages.
   */
  deleteBucket(name: Uint8Array): void {
    const bucket = this.bucket(name);
    if (bucket !== undefined) {
      for (const [inner, entry] of bucket.#model.entries) {
        if (entry instanceof ModelBucket) bucket.deleteBucket(Buffer.from(inner, "latin1"));
      }
    }
    this.#script.push({ op: "deleteBucket", path: [...this.#path, hex(name)] });
  }

  bucket(name: Uint8Array): Recorder | undefined {
    const inner = this.#model.entries.get(latin1(name));
    if (!(inner instanceof ModelBucket)) return undefined;
    return new Recorder(this.#script, [...this.#path, hex(name)], inner);
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#script.push({ op: "put", path: this.#path, key: hex(key), value: hex(value) });
  }

  delete(key: Uint8Array): boolean {
    this.#script.push({ op: "delete", path: this.#path, key: hex(key) });
    return this.#model.entries.has(latin1(key));
  }

  /** One by one: bbolt knows no other way. */
  prune(from: Uint8Array, { judge }: Sieve): number {
    let gone = 0;
    for (const name of this.#model.sortedKeys()) {
      if (name < latin1(from) || this.#model.entries.get(name) instanceof ModelBucket) continue;
      const key = Buffer.from(name, "latin1");
      const verdict = judge(key, viewOf(key), 0, key.length);
      if (verdict === "stop") break;
      if (verdict === "stays") continue;
      this.delete(key);
      gone++;
    }
    return gone;
  }

  nextSequence(): bigint {
    this.#script.push({ op: "nextSequence", path: this.#path });
    return BigInt.asUintN(64, this.#model.sequence + 1n);
  }
}

/** One random transaction as a script, already done to `model`. */
export function scriptOf(model: ModelBucket, random: Rng, shape: Shape): Operation[] {
  const script: Operation[] = [{ op: "begin" }];
  const recorder: unknown = new Recorder(script, [], model);
  workOn(recorder as WriteTx, model, random, shape);
  script.push({ op: "commit" });
  return script;
}
