/** A page file's life until something ends it, told so that an onlooker knows what must be found afterwards. */
import type { Directory } from "../../native-free/file.ts";
import { PageFile, type PageFileOptions } from "../../src/pagefile/page-file.ts";
import type { ReadTx } from "../../src/pagefile/tx.ts";
import { contentOf, difference } from "./page-file-content.ts";
import { appendTo, ModelBucket, type Shape, workOn } from "./page-file-model.ts";
import { rng } from "./rng.ts";

export interface Workload {
  readonly seed: number;
  readonly transactions: number;
  readonly shape: Shape;
  readonly options: PageFileOptions;
}

export const FILE_NAME = "db";

/** Too much content makes every look at it slow, and is no harder on a commit. */
const WEIGHT_MAX = 1500;
const WEIGHT_UNIT_BYTES = 256;

/** What an onlooker has been told. */
export class Story {
  /** The content of the last commit that returned; undefined until the new file was acknowledged. */
  acknowledged: ModelBucket | undefined;
  /** The content that a commit under way would leave. */
  inFlight: ModelBucket | undefined;
  /** Transactions begun. */
  begun = 0;

  /** @throws Error when `found` is neither what was acknowledged nor what was in flight */
  witness(found: ModelBucket): void {
    const expected = this.acknowledged ?? new ModelBucket();
    const why = difference(found, expected);
    if (why === undefined) return;
    const inFlight = this.inFlight;
    const whyNot = inFlight === undefined ? "nothing was in flight" : difference(found, inFlight);
    if (whyNot === undefined) return;
    throw new Error(
      `after ${this.begun} transactions: not what was acknowledged: ${why}; nor what was in flight: ${whyNot}`,
    );
  }
}

interface Reader {
  readonly tx: ReadTx;
  readonly content: ModelBucket;
}

/**
 * Opens the file, making it if there is none, looks whether it holds what `story` says, and does the rest of the
 * workload, with readers that stay open across commits. The same workload always does the same.
 *
 * @throws whatever the disk throws: `story` then says what may be found
 */
export function live(directory: Directory, workload: Workload, story: Story): void {
  const file = PageFile.open(directory.openFile(FILE_NAME, "create"), workload.options);
  directory.sync();
  let content = file.view(contentOf);
  story.witness(content);
  story.acknowledged = content;
  story.inFlight = undefined;
  const readers: Reader[] = [];
  while (story.begun < workload.transactions) {
    const random = rng(workload.seed * 1000 + story.begun);
    story.begun++;
    const tx = file.beginWrite();
    const draft = content.clone();
    workOn(tx, draft, random, workload.shape);
    if (random.int(6) === 0) appendTo(tx, draft, random, random.int(300));
    if (weightOf(draft) > WEIGHT_MAX) {
      const name = random.pick([...draft.entries.keys()]);
      tx.deleteBucket(Buffer.from(name, "latin1"));
      draft.entries.delete(name);
    }
    if (random.int(8) === 0) {
      tx.rollback();
    } else {
      story.inFlight = draft;
      tx.commit();
      story.acknowledged = draft;
      story.inFlight = undefined;
      content = draft;
    }
    if (random.int(4) === 0) readers.push({ tx: file.beginRead(), content });
    if (readers.length > 2) closeReader(readers.splice(random.int(readers.length), 1)[0]);
  }
  for (const reader of readers) closeReader(reader);
  file.close();
}

function closeReader(reader: Reader | undefined): void {
  if (reader === undefined) return;
  const why = difference(contentOf(reader.tx), reader.content);
  if (why !== undefined) throw new Error(`a reader of txid ${reader.tx.meta.txid} sees: ${why}`);
  reader.tx.close();
}

/** Keys, and their values by their size. */
function weightOf(bucket: ModelBucket): number {
  let weight = 0;
  for (const entry of bucket.entries.values()) {
    weight += entry instanceof ModelBucket ? weightOf(entry) : 1 + entry.length / WEIGHT_UNIT_BYTES;
  }
  return weight;
}

/**
 * What a start after a crash must find, and that the file is good for more: checks clean, holds what the story allows,
 * takes a commit, and holds that after another start.
 */
export function expectRecovery(directory: Directory, options: PageFileOptions, story: Story): void {
  const more = Buffer.from("after the crash");
  const first = PageFile.open(directory.openFile(FILE_NAME, "create"), options);
  assertClean(first, "as it was found");
  const found = first.view(contentOf);
  story.witness(found);
  first.update((tx) => tx.createBucketIfNotExists(more).put(more, more));
  assertClean(first, "after a further commit");
  first.close();

  const inner = new ModelBucket();
  const known = found.entries.get("after the crash");
  if (known instanceof ModelBucket)
    for (const [key, value] of known.entries) inner.entries.set(key, value);
  inner.entries.set("after the crash", more);
  found.entries.set("after the crash", inner);
  const second = PageFile.open(directory.openFile(FILE_NAME, "write"), options);
  assertClean(second, "opened once more");
  const why = difference(second.view(contentOf), found);
  if (why !== undefined) throw new Error(`the further commit is lost: ${why}`);
  second.close();
}

function assertClean(file: PageFile, when: string): void {
  const { faults, pagesInUse, pagesFree } = file.check();
  if (faults.length > 0) throw new Error(`${when}: ${faults[0]?.what} (of ${faults.length})`);
  if (pagesInUse + pagesFree !== file.meta.pgid) throw new Error(`${when}: pages are missing`);
}
