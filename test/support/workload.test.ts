import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "./cleanup.ts";
import { describeWithPeers } from "./describe-with-peers.ts";
import { judgeBench, judgeCheck } from "./judge.ts";
import {
  ContentDigest,
  fillPuts,
  getMains,
  mixDigest,
  Noise,
  type Put,
  REVISION_BYTES,
  randomPuts,
  setRevision,
  showDigest,
  xorshift32,
} from "./workload.ts";

test("xorshift32 is Marsaglia's, and never negative", () => {
  const next = xorshift32(1);
  expect([next(), next(), next()]).toEqual([270369, 67634689, 2647435461]);
});

function keyOf(main: number, sub: number): Uint8Array {
  const key = new DataView(new ArrayBuffer(REVISION_BYTES));
  setRevision(key, 0, main, sub);
  return new Uint8Array(key.buffer);
}

test("a revision is 17 bytes, big-endian, beyond 32 bits too", () => {
  const key = keyOf(2 ** 40 + 5, 2 ** 33 + 7);
  expect(Buffer.from(key).toString("hex")).toBe("00000100000000055f0000000200000007");
});

const VALUE_BYTES = 30;
const FILL = 2500;
const RANDOM = 700;
const SEED = 42;

/** The workload on a Map that cannot be wrong. */
class Model {
  readonly #values = new Map<string, Uint8Array>();
  readonly #noise = new Noise(VALUE_BYTES);

  put({ main, sub, value }: Put): void {
    this.#values.set(Buffer.from(keyOf(main, sub)).toString("hex"), this.#noise.valueOf(value));
  }

  get(main: number): Uint8Array | undefined {
    return this.#values.get(Buffer.from(keyOf(main, 0)).toString("hex"));
  }

  *sorted(): Generator<[key: Uint8Array, value: Uint8Array]> {
    for (const key of [...this.#values.keys()].sort()) {
      yield [Buffer.from(key, "hex"), this.#values.get(key) ?? new Uint8Array()];
    }
  }

  contentDigest(): string {
    const digest = new ContentDigest();
    for (const [key, value] of this.sorted()) digest.add(key, value);
    return digest.end();
  }
}

function readDigest(digest: number, key: Uint8Array, value: Uint8Array): number {
  return mixDigest(digest, key.length, value.length, key[0] ?? 0, value[0] ?? 0);
}

describeWithPeers("the judge's benchmarks", ["go-bbolt"], () => {
  test("do the work that the workload here describes, digest for digest", () => {
    const folder = scratchFolder("workload");
    const file = join(folder, "bench.db");
    const model = new Model();

    for (const put of fillPuts(FILL)) model.put(put);
    const fill = judgeBench({
      mode: "fill",
      file,
      n: FILL,
      txSize: 1000,
      valueBytes: VALUE_BYTES,
    });
    expect(fill).toMatchObject({ ops: FILL, digest: model.contentDigest() });
    expect(fill.seconds).toBeGreaterThan(0);

    for (const put of randomPuts(RANDOM, FILL, SEED)) model.put(put);
    const random = judgeBench({
      mode: "random",
      file,
      n: RANDOM,
      txSize: 100,
      keySpace: FILL,
      seed: SEED,
      valueBytes: VALUE_BYTES,
    });
    expect(random).toMatchObject({ ops: RANDOM, digest: model.contentDigest() });

    let scanned = 0;
    let keys = 0;
    for (const [key, value] of model.sorted()) {
      scanned = readDigest(scanned, key, value);
      keys++;
    }
    expect(judgeBench({ mode: "scan", file })).toMatchObject({
      ops: keys,
      digest: showDigest(scanned),
    });

    let got = 0;
    for (const main of getMains(500, FILL, SEED)) {
      const value = model.get(main);
      if (value !== undefined) got = readDigest(got, keyOf(main, 0), value);
    }
    for (const each of [false, true]) {
      expect(
        judgeBench({ mode: "get", file, n: 500, keySpace: FILL, seed: SEED, each }),
      ).toMatchObject({ ops: 500, digest: showDigest(got) });
    }

    expect(judgeBench({ mode: "open", file })).toMatchObject({
      ops: 1,
      digest: expect.stringMatching(/^\d+$/),
    });

    const target = join(folder, "compact.db");
    expect(
      judgeBench({ mode: "compact", file, target, txMaxSize: 10_000, noSync: true }),
    ).toMatchObject({ ops: keys, digest: model.contentDigest() });
    expect(judgeCheck(target)).toEqual({ ok: true, errors: [] });
    expect(judgeCheck(file)).toEqual({ ok: true, errors: [] });
  });
});
