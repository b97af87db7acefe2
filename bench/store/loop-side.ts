/** All of `loop.ts`'s works beside the puts, one after another, in a process of its own: `loop-side.js ORDER`. */
import { Strata } from "../../src/index.ts";
import { besideOf, type LoopFigure, type LoopOptions, measureLoop } from "./loop.ts";

export interface LoopOrder extends LoopOptions {
  /** Of a data dir that is opened and changed. */
  readonly dir: string;
  readonly warmUpSeconds: number;
}

const QUOTA_BYTES = 64 * 2 ** 30;

const { dir, keys, rate, seconds, warmUpSeconds } = JSON.parse(process.argv[2] ?? "") as LoopOrder;
const store = await Strata.open({ dir }, { quotaBytes: QUOTA_BYTES, log: () => undefined });
const warmUp = { keys, rate, seconds: warmUpSeconds };
await measureLoop(store, "warm-up", () => Promise.resolve(), warmUp);
const figures: LoopFigure[] = [];
for (const [name, beside] of Object.entries(besideOf(store))) {
  if (beside === undefined) throw new Error(`the library cannot do it: ${name}`);
  figures.push(await measureLoop(store, name, beside, { keys, rate, seconds }));
}
await store.close();
process.stdout.write(JSON.stringify(figures));
