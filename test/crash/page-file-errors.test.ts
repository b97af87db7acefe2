/**
 * Every operation of a page file's life fails once, in turn: reads, writes, writes that are cut short, syncs. The
 * failed commit throws and is the last; readers go on; the next start finds the state before it, or its own.
 *
 *   npm test                                                          twenty of each kind, evenly spread
 *   STRATA_EVERY=1 npx vitest run test/crash/page-file-errors.test.ts  every write and sync of the same lives
 *   npm run test:crash                                                more lives, and longer ones
 */
import { expect, test } from "vitest";
import { StrataError } from "../../src/base/errors.ts";
import { PageFile, type PageFileOptions } from "../../src/pagefile/page-file.ts";
import { ErrorDisk, type Fault } from "../support/error-disk.ts";
import { contentOf, difference } from "../support/page-file-content.ts";
import { ModelBucket, SHAPES, type Shape, workOn } from "../support/page-file-model.ts";
import { PowerCutDisk } from "../support/power-cut-disk.ts";
import { rng } from "../support/rng.ts";

const full = process.env.STRATA_FULL === "1";
const seeds = process.env.STRATA_SEEDS?.split(",").map(Number) ?? (full ? [1, 2, 3, 4, 5] : [1]);
const transactions = full ? 30 : 8;
/** Of each kind of operation of a life, how many fail. Reads are many, and the same ones over and over. */
const every = full || process.env.STRATA_EVERY === "1";
const most = every
  ? { read: full ? 600 : 80, write: Infinity, sync: Infinity }
  : { read: 16, write: 20, sync: 20 };

const OPTIONS: readonly PageFileOptions[] = [
  { pageBytes: 1024, freelistSync: true, cacheBytes: 0 },
  { pageBytes: 4096, freelistSync: false, cacheBytes: 0 },
];

type Kind = Pick<Fault, "code" | "shortWrite"> & { readonly operations: keyof typeof most };

const KINDS: readonly Kind[] = [
  { operations: "write", code: "ENOSPC" },
  { operations: "write", code: "ENOSPC", shortWrite: true },
  { operations: "write", code: "EIO" },
  { operations: "sync", code: "EIO" },
  { operations: "read", code: "EIO" },
];

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof StrataError) return error.code;
    if (isSystemError(error)) return "SYSTEM";
    throw error;
  }
}

interface Told {
  /** What was there before the operation that failed. */
  content: ModelBucket;
  /** What that operation would have left. */
  inFlight: ModelBucket;
  failedAt: "nothing" | "open" | "change" | "merge" | "commit" | "look";
}

/**
 * Works until something fails. A failed commit of whose writes nobody knows the fate must lock the file for writers,
 * and for nobody else; any other failure must leave it as if the transaction had never been.
 */
function liveUntilFailure(
  disk: ErrorDisk,
  seed: number,
  shape: Shape,
  options: PageFileOptions,
): Told {
  const told: Told = { content: new ModelBucket(), inFlight: new ModelBucket(), failedAt: "open" };
  const open = (): PageFile | undefined => {
    let file: PageFile | undefined;
    const code = codeOf(() => {
      file = PageFile.open(disk.openFile("db", "create"), options);
    });
    expect([undefined, "SYSTEM"]).toContain(code);
    return file;
  };
  let file = open();
  if (file === undefined) return told;
  for (let round = 0; round < transactions; round++) {
    const random = rng(seed * 1000 + round);
    if (round % 2 === 1) {
      // With its cache gone it has something to read.
      file.close();
      file = open();
      if (file === undefined) return told;
    }
    const tx = file.beginWrite();
    const begun = file.space();
    const draft = told.content.clone();
    try {
      workOn(tx, draft, random, shape);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      told.failedAt = "change";
      told.inFlight = told.content;
      // Whatever was changed by then is not whole.
      expect(codeOf(() => tx.commit())).toBe("FAILED");
      expect(file.space()).toEqual(begun);
      expectWritable(file, told);
      break;
    }
    const code = codeOf(() => tx.commit());
    if (code === undefined) {
      told.content = draft;
      told.inFlight = draft;
      const live = file;
      const looked = codeOf(() => live.view(contentOf));
      if (looked !== undefined) {
        told.failedAt = "look";
        expect(looked).toBe("SYSTEM");
        expectWritable(file, told);
        break;
      }
      continue;
    }
    expect(code).toBe("SYSTEM");
    told.failedAt = "commit";
    const spaceAfter = file.space();
    expect(difference(file.view(contentOf), told.content)).toBeUndefined();
    const live = file;
    if (codeOf(() => live.beginWrite().rollback()) === undefined) {
      // A read failed while pages were merged: nothing was written, nothing may be lost.
      told.failedAt = "merge";
      told.inFlight = told.content;
      expect(spaceAfter).toEqual(begun);
      expectWritable(file, told);
    } else {
      told.inFlight = draft;
      expect(codeOf(() => live.beginWrite())).toBe("FAILED");
      expect(codeOf(() => live.update(() => undefined))).toBe("FAILED");
      expect(file.check().faults).toEqual([]);
    }
    break;
  }
  if (told.failedAt === "open") told.failedAt = "nothing";
  file.close();
  return told;
}

/** The file takes further commits, and nothing of what failed is left in it. */
function expectWritable(file: PageFile, told: Told): void {
  const name = Buffer.from("healthy");
  for (let i = 0; i < 3; i++) {
    file.update((tx) => tx.createBucketIfNotExists(name).put(name, Buffer.alloc(i * 2000)));
    const healthy = new ModelBucket();
    healthy.entries.set("healthy", Buffer.alloc(i * 2000));
    told.content = told.content.clone();
    told.content.entries.set("healthy", healthy);
    told.inFlight = told.content;
    const { faults, pagesInUse, pagesFree } = file.check();
    expect(faults).toEqual([]);
    expect(pagesInUse + pagesFree).toBe(file.meta.pgid);
  }
}

const cases = seeds.flatMap((seed) =>
  SHAPES.map((shape, index) => ({
    seed: seed * 10 + index,
    shape,
    options: OPTIONS[(seed + index) % OPTIONS.length] as PageFileOptions,
  })),
);

test.each(cases)(
  "every operation fails once: workload $seed",
  { timeout: full ? 24 * 3_600_000 : 300_000 },
  ({ seed, shape, options }) => {
    let failures = 0;
    const where = new Map<string, number>();
    for (const kind of KINDS) {
      const calm = new ErrorDisk(new PowerCutDisk());
      liveUntilFailure(calm, seed, shape, options);
      const operations = calm.count(kind);
      expect(operations).toBeGreaterThan(10);
      const step = Math.max(1, operations / most[kind.operations]);
      for (let at = 1; at <= operations; at += step) {
        const nth = Math.floor(at);
        const inner = new PowerCutDisk();
        const disk = new ErrorDisk(inner, { ...kind, nth, lasts: "once" });
        const told = liveUntilFailure(disk, seed, shape, options);
        expect(disk.failures).toBe(1);
        failures++;
        where.set(told.failedAt, (where.get(told.failedAt) ?? 0) + 1);
        const again = PageFile.open(disk.openFile("db", "create"), options);
        disk.sync();
        const found = again.view(contentOf);
        const same = difference(found, told.content);
        if (same !== undefined && difference(found, told.inFlight) !== undefined) {
          throw new Error(`${JSON.stringify(kind)} ${nth} (${told.failedAt}): ${same}`);
        }
        told.content = found;
        expect(again.check().faults).toEqual([]);
        expectWritable(again, told);
        again.close();
        // And what was acknowledged after the failure is on the disk.
        const left = inner.reboot(rng(seed + nth), "lose");
        const last = PageFile.open(left.openFile("db", "write"), options);
        expect(difference(last.view(contentOf), told.content)).toBeUndefined();
        last.close();
      }
    }
    const places = every ? ["change", "commit", "open"] : ["commit"];
    for (const place of places) expect(where.get(place) ?? 0).toBeGreaterThan(0);
    if (full) console.log(`workload ${seed}: ${failures} failures`, Object.fromEntries(where));
  },
);
