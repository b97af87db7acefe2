/**
 * Damaged logs: none may crash strata, make it hang, or eat its memory. 2,000 in every test run, 100,000 with
 * `npm run fuzz:wal`. STRATA_FUZZ is how many, STRATA_SEED where they begin.
 */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenPath } from "../../test/support/golden.ts";
import { PowerCutDisk } from "../../test/support/power-cut-disk.ts";
import { rng } from "../../test/support/rng.ts";
import {
  type DamagedLog,
  damage,
  hostileLog,
  type LogFiles,
} from "../../test/support/wal-mutations.ts";
import { StrataError } from "../base/errors.ts";
import { readLog, validSnapshots } from "./reader.ts";
import { segmentName } from "./segment-name.ts";
import { openWal } from "./wal.ts";
import { WalError } from "./wal-error.ts";

const COUNT = Number(process.env.STRATA_FUZZ ?? 2000);
const SEED = Number(process.env.STRATA_SEED ?? 1);

/** Milliseconds for one log, on a machine that does other things as well. */
const SLOW_MS = 5000;

function originals(): LogFiles[] {
  const folder = "wal-segments";
  const many = readdirSync(goldenPath(folder)).map(
    (name) => [name, new Uint8Array(readFileSync(goldenPath(`${folder}/${name}`)))] as const,
  );
  const single = ["basic.wal", "full.wal", "restore.wal", "members.wal", "v35.wal", "v36.wal"].map(
    (name): LogFiles =>
      new Map([
        [segmentName(0, 0), new Uint8Array(readFileSync(goldenPath(name)).subarray(0, 20_000))],
      ]),
  );
  return [new Map(many), ...single];
}

/** Opens it in every way; what comes of it in a word. */
async function exercise({ files }: DamagedLog): Promise<string> {
  const directory = new PowerCutDisk();
  for (const [name, bytes] of files) directory.openFile(name, "create").write(0, bytes);
  const outcomes = [
    outcomeOf(() => validSnapshots(directory)),
    outcomeOf(() => readLog(directory, { index: 0, term: 0 }, "read")),
    outcomeOf(() => readLog(directory, { index: 9, term: 1 }, "read")),
  ];
  let opened: ReturnType<typeof openWal> | undefined;
  const opening = outcomeOf(() => {
    opened = openWal(directory, undefined, {
      repair: true,
      stepBytes: 0,
      segmentBytes: 4096,
      schedule: queueMicrotask,
    });
  });
  if (opened === undefined) return [...outcomes, opening].join(", ");
  const { wal, contents } = opened;
  const { hardState } = contents;
  const next = { type: 0, term: 9, index: wal.lastIndex + 1, data: new Uint8Array(3) } as const;
  await wal.append([next], hardState);
  await wal.close();
  const again = readLog(directory, { index: 0, term: 0 }, "write");
  expect(again.entries).toEqual([...contents.entries, next]);
  expect(again.hardState).toEqual(hardState);
  return [...outcomes, opened.repaired ? "repaired" : "opened"].join(", ");
}

/** @throws anything that is not an operating error */
function outcomeOf(work: () => unknown): string {
  try {
    work();
    return "read";
  } catch (error) {
    if (error instanceof WalError) return error.fault;
    if (error instanceof StrataError) return error.code;
    throw error;
  }
}

test(`${COUNT} damaged logs from seed ${SEED}: read, refused or repaired, and nothing else`, {
  timeout: 3_600_000,
}, async () => {
  const all = originals();
  const outcomes = new Map<string, number>();
  for (let i = 0; i < COUNT; i++) {
    const chance = rng(SEED * 1_000_003 + i);
    const log = i % 4 === 0 ? hostileLog(chance) : damage(chance.pick(all), chance);
    const begin = performance.now();
    let outcome: string;
    try {
      outcome = await exercise(log);
    } catch (error) {
      throw new Error(`log ${i} of seed ${SEED}:\n${log.story.join("\n")}`, { cause: error });
    }
    if (performance.now() - begin > SLOW_MS)
      throw new Error(`log ${i} took ${performance.now() - begin} ms`);
    const last = outcome.split(", ").at(-1) ?? "";
    outcomes.set(last, (outcomes.get(last) ?? 0) + 1);
  }
  console.log(
    Object.fromEntries(outcomes),
    `${Math.round(process.memoryUsage().arrayBuffers / 2 ** 20)} MiB of buffers`,
  );
  // Damage that is never met, or always at once, would prove nothing.
  for (const expected of ["opened", "repaired", "crc-mismatch", "bad-record"]) {
    expect(outcomes.get(expected)).toBeGreaterThan(COUNT / 200);
  }
  expect(process.memoryUsage().arrayBuffers).toBeLessThan(2 ** 29);
});
