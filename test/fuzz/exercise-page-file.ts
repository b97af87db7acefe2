/**
 * Everything that one can do with a page file, done to one that may be damaged. The answers must be right, or the error
 * an operating one; where the file checked clean, there must be no error, and it must still be clean when written to.
 */
import { latin1 } from "../../src/base/bytes.ts";
import { StrataError } from "../../src/base/errors.ts";
import { Bucket } from "../../src/pagefile/bucket.ts";
import { checkTree } from "../../src/pagefile/check.ts";
import { readMetas } from "../../src/pagefile/meta.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import type { WriteTx } from "../../src/pagefile/tx.ts";
import { MemoryFile } from "../support/memory-file.ts";
import { contentOf, difference } from "../support/page-file-content.ts";
import { ModelBucket } from "../support/page-file-model.ts";
import type { Rng } from "../support/rng.ts";

/** What became of it: the last stage it came through, and why it went no further. */
export type Outcome = string;

/** Buckets that lead back to themselves have no end: whoever walks them must stop by himself. */
const STEPS_MAX = 20_000;

/** A writer may make room, but not out of proportion. */
const GROWTH_MAX = 4;
const GROWTH_FREE_BYTES = 8 * 1024 * 1024;

/** @throws Error for whatever is a bug */
export function exercise(bytes: Uint8Array, random: Rng): Outcome {
  const source = new MemoryFile(bytes);
  const metas = attempt(() => readMetas(source));
  if (metas instanceof StrataError) return `metas: ${metas.code}`;
  const file = attempt(() => PageFile.open(source, { readOnly: true }));
  if (file instanceof StrataError) throw new Error("the metas can be read, yet it does not open");

  const { faults, faultCount } = checkTree(file.walkSource(), file.meta);
  const clean = faultCount === 0;
  if (clean !== (faults.length === 0)) throw new Error("the count of faults is wrong");
  const read = attempt(() => readEverything(file, random, clean));
  const damaged = read instanceof StrataError;
  if (clean && damaged) throw new Error("it checks clean, yet cannot be read", { cause: read });
  file.close();

  const written = write(bytes.slice(), random, clean);
  return `${clean ? "clean" : "faults"}, ${damaged ? "read in part" : "read"}, ${written}`;
}

function attempt<T>(work: () => T): T | StrataError {
  try {
    return work();
  } catch (error) {
    if (error instanceof StrataError) return error;
    throw error;
  }
}

class Enough extends StrataError {}

/** Forward, backward, by get and by seek, in every bucket. */
function readEverything(file: PageFile, random: Rng, clean: boolean): void {
  let steps = 0;
  const step = (): void => {
    steps++;
    if (steps > STEPS_MAX && !clean) throw new Enough("CORRUPT", "enough was seen");
  };
  file.view((tx) => {
    const top = tx.cursor();
    for (let more = top.first(); more; more = top.next()) {
      step();
      const bucket = attempt(() => tx.bucket(top.key()));
      if (bucket instanceof StrataError && clean) throw bucket;
      if (bucket instanceof Bucket)
        attemptUnless(clean, () => readBucket(bucket, random, clean, step));
    }
  });
}

function attemptUnless(clean: boolean, work: () => void): void {
  if (clean) work();
  else attempt(work);
}

function readBucket(bucket: Bucket, random: Rng, clean: boolean, step: () => void): void {
  const keys: string[] = [];
  const cursor = bucket.cursor();
  const forward = attempt(() => {
    for (let more = cursor.first(); more; more = cursor.next()) {
      step();
      keys.push(latin1(cursor.key()));
      const value = bucket.get(cursor.key());
      if (!clean) continue;
      if (cursor.isBucket !== (value === undefined)) throw new Error("get and cursor disagree");
      if (value !== undefined && Buffer.compare(value, cursor.value() as Uint8Array) !== 0) {
        throw new Error("get gives another value");
      }
    }
  });
  if (forward instanceof StrataError && clean) throw forward;
  const backward = attempt(() => {
    let i = keys.length;
    for (let more = cursor.last(); more; more = cursor.prev()) {
      step();
      i--;
      if (clean && latin1(cursor.key()) !== keys[i]) throw new Error("backward is not the reverse");
    }
    if (clean && i !== 0) throw new Error("backward is shorter");
  });
  if (backward instanceof StrataError && clean) throw backward;
  for (let tries = 0; tries < 8; tries++) {
    const wanted =
      keys.length > 0 && random.bool()
        ? Buffer.from(random.pick(keys), "latin1")
        : random.bytes(1 + random.int(4));
    attemptUnless(clean, () => {
      const found = cursor.seek(wanted);
      if (clean && found !== keys.some((key) => key >= latin1(wanted))) {
        throw new Error("seek finds what is not there, or nothing");
      }
      for (let i = 0; i < 3 && (random.bool() ? cursor.next() : cursor.prev()); i++) step();
    });
  }
  for (const key of keys) {
    step();
    const name = Buffer.from(key, "latin1");
    const inner = attempt(() => bucket.bucket(name));
    if (inner instanceof StrataError && clean) throw inner;
    if (inner instanceof Bucket) attemptUnless(clean, () => readBucket(inner, random, clean, step));
  }
}

/** Some transactions, then the check, then another start. */
function write(bytes: Uint8Array, random: Rng, clean: boolean): Outcome {
  const memory = new MemoryFile(bytes);
  const opened = attempt(() => PageFile.open(memory, { freelistSync: random.bool() }));
  if (opened instanceof StrataError) {
    if (clean) throw new Error("it checks clean, yet does not open for writing", { cause: opened });
    return `no writing: ${opened.code}`;
  }
  let content = clean ? opened.view(contentOf) : new ModelBucket();
  let outcome = "written";
  const limit = bytes.length * GROWTH_MAX + GROWTH_FREE_BYTES;
  for (let round = 0; round < 3; round++) {
    const draft = content.clone();
    const result = attempt(() =>
      opened.update((tx) => {
        for (let i = random.pick([1, 5, 40]); i > 0; i--) changeSomething(tx, draft, random, clean);
      }),
    );
    if (result instanceof StrataError) {
      if (clean) throw new Error("it checks clean, yet cannot be written", { cause: result });
      outcome = `write refused: ${result.code}`;
    } else {
      content = draft;
    }
    if (memory.size() > limit) throw new Error(`the file grew to ${memory.size()} bytes`);
    const check = attempt(() => opened.check());
    if (clean) expectClean(opened, content);
    else if (check instanceof StrataError) throw new Error("check throws", { cause: check });
  }
  opened.close();
  const again = attempt(() => PageFile.open(new MemoryFile(memory.bytes.slice())));
  if (clean) {
    if (again instanceof StrataError) throw new Error("does not open again", { cause: again });
    expectClean(again, content);
  }
  return outcome;
}

function expectClean(file: PageFile, content: ModelBucket): void {
  const { faults } = file.check();
  if (faults.length > 0) throw new Error(`was clean, is not after a write: ${faults[0]?.what}`);
  const why = difference(file.view(contentOf), content);
  if (why !== undefined) throw new Error(`was clean, holds something else after a write: ${why}`);
}

/** One change to a bucket that is there, at whatever depth, or to the buckets themselves. */
function changeSomething(tx: WriteTx, model: ModelBucket, random: Rng, clean: boolean): void {
  const cursor = tx.cursor();
  const names: Uint8Array[] = [];
  for (let more = cursor.first(); more && names.length < 100; more = cursor.next()) {
    // A damaged file can have plain keys in its root; they are neither seen nor in the way.
    if (cursor.isBucket) names.push(cursor.key().slice());
  }
  const what = random.int(20);
  if (names.length === 0 || what === 0) {
    const name = random.bytes(1 + random.int(3));
    if (cursor.seek(name) && Buffer.compare(cursor.key(), name) === 0) return;
    tx.createBucket(name);
    model.entries.set(latin1(name), new ModelBucket());
    return;
  }
  const name = random.pick(names);
  const inner = model.entries.get(latin1(name));
  const modelled = inner instanceof ModelBucket ? inner : new ModelBucket();
  if (what === 1) {
    tx.deleteBucket(name);
    model.entries.delete(latin1(name));
    return;
  }
  const bucket = tx.bucket(name);
  if (bucket === undefined) return;
  attemptUnless(clean, () => changeInBucket(bucket, modelled, random, 0));
}

function changeInBucket(bucket: Bucket, model: ModelBucket, random: Rng, depth: number): void {
  const cursor = bucket.cursor();
  const start = random.bytes(1 + random.int(3));
  const here = random.pick([() => cursor.first(), () => cursor.last(), () => cursor.seek(start)])();
  const key = here ? cursor.key().slice() : start;
  const known = model.entries.get(latin1(key));
  if (key.length === 0) return; // bbolt's check lets a damaged length pass; as a key it is refused.
  if (here && cursor.isBucket) {
    if (random.int(4) === 0) {
      bucket.deleteBucket(key);
      model.entries.delete(latin1(key));
    } else if (depth < 3) {
      const inner = bucket.bucket(key);
      const modelled = known instanceof ModelBucket ? known : new ModelBucket();
      if (inner !== undefined) changeInBucket(inner, modelled, random, depth + 1);
    }
    return;
  }
  switch (random.int(8)) {
    case 0:
    case 1:
    case 2: {
      // A run of deletes, with the cursor in the middle of it.
      for (let left = random.pick([1, 4, 64]), more = here; more && left > 0; left--) {
        if (!cursor.isBucket) {
          const gone = cursor.key().slice();
          bucket.delete(gone);
          model.entries.delete(latin1(gone));
        }
        more = random.int(8) > 0 ? cursor.next() : cursor.prev();
      }
      return;
    }
    case 3:
      model.sequence = bucket.nextSequence();
      return;
    case 4:
      if (here) return;
      bucket.createBucket(key);
      model.entries.set(latin1(key), new ModelBucket());
      return;
    default: {
      const value = random.bytes(random.int(random.pick([10, 300, 6000])));
      bucket.put(key, value);
      model.entries.set(latin1(key), value);
    }
  }
}
