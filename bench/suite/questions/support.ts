/** What the questions have in common: sizes with their labels, what is made once, disks that come to rest. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectFolder } from "../../../test/support/judge.ts";
import type { Entry } from "../../store/alternate.ts";
import type { ServerKind } from "../../wire/server-process.ts";
import type { Answer, AskContext, Size } from "../question.ts";

/** The writes that a disk has taken into its own memory go on for about as long. */
const SETTLE_MS = 3000;
const SYNC_MAX_MS = 20_000;

/** Each takes long enough for three to show how they differ. */
export const ROUNDS = 3;

export const ON_DISK = "each put is on the disk before it is answered";

/** The built program of a file of bench: sides are processes of their own, which cannot run TypeScript. */
export function programOf(name: string): string {
  return join(projectFolder(), "dist/bench", `${name}.js`);
}

/** `what`: "keys", "revisions". */
export function sizeOf(count: number, valueBytes: number, what: string = "keys"): Size {
  const label = `${count.toLocaleString("en")} ${what} of ${shownBytes(valueBytes)}`;
  return { label, keys: count, valueBytes };
}

/** Of files, and of rows in them. The last is the one that the goals are for. */
export function fileSizes(what: string): readonly Size[] {
  return [
    sizeOf(10_000, 64, what),
    sizeOf(10_000, 1024, what),
    sizeOf(10_000, 65_536, what),
    sizeOf(100_000, 64, what),
    sizeOf(100_000, 1024, what),
    sizeOf(1_000_000, 64, what),
    sizeOf(1_000_000, 300, what),
  ];
}

/** Where only the value grows. */
export function valueSizeOf(valueBytes: number): Size {
  return { label: `values of ${shownBytes(valueBytes)}`, keys: 1, valueBytes };
}

function shownBytes(bytes: number): string {
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

const MAINTENANCE_VALUE_BYTES = 300;
export const MAINTENANCE_SIZES: readonly Size[] = [10_000, 100_000, 1_000_000].map((keys) =>
  sizeOf(keys, MAINTENANCE_VALUE_BYTES),
);
export const SMOKE_SIZE: Size = sizeOf(1000, MAINTENANCE_VALUE_BYTES);

export function inMebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}

/**
 * What is dear is made once, and serves all questions that ask for the same: a data dir, a run of which several figures
 * are taken. What failed is not tried again.
 */
export class Once<T> {
  readonly #made = new Map<string, Promise<T>>();

  get(key: string, make: () => Promise<T> | T): Promise<T> {
    let made = this.#made.get(key);
    if (made === undefined) {
      made = Promise.resolve().then(make);
      this.#made.set(key, made);
    }
    return made;
  }
}

/** An entry of one of the two servers. @param whyNot  beyond that the server is not there */
export function serverEntry(
  { name, peer }: ServerKind,
  run: (round: number) => Promise<Answer>,
  whyNot?: string,
): Entry<Answer> {
  const missing = peer.found ? whyNot : peer.why;
  return { name, ...(missing !== undefined && { missing }), run };
}

/** Figures of the first seconds after much was written or removed are the disk's; a smoke run does not care. */
export async function settle(
  { smoke }: Pick<AskContext, "smoke">,
  ms: number = SETTLE_MS,
): Promise<void> {
  if (smoke) return;
  const child = spawn("sync", { stdio: "ignore" });
  const synced = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  // Beside others who write without end it would not come back.
  await Promise.race([synced, sleep(SYNC_MAX_MS, undefined, { ref: false })]);
  await sleep(ms);
}
