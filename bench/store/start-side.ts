/** Opens a store, reads one key, and says how long that took since the process began: `start-side.js DIR KEY`. */
import { Strata } from "../../src/index.ts";
import { residentBytes } from "./resident.ts";

export interface StartAnswer {
  /** The value in hex; empty if there is none. */
  readonly value: string;
  /** From the process's start to the answer, by its own clock. */
  readonly answeredMs: number;
  /** Of that, until the library was imported. */
  readonly importedMs: number;
  readonly openMs: number;
  readonly peakRssBytes: number;
  readonly rssBytes: number;
  readonly keys: number;
  /** What the key index says of itself. */
  readonly indexBytes: number;
}

const importedMs = performance.now();
const [dir = "", key = ""] = process.argv.slice(2);
const store = await Strata.open({ dir });
const openMs = performance.now() - importedMs;
const value = (await store.get(key))?.value;
const answeredMs = performance.now();
const { keys, heapBytes, revisionBytes, slotBytes } = store.member.store.index.memory();
const answer: StartAnswer = {
  value: Buffer.from(value ?? []).toString("hex"),
  answeredMs,
  importedMs,
  openMs,
  peakRssBytes: residentBytes("self", "VmHWM"),
  rssBytes: residentBytes("self", "VmRSS"),
  keys,
  indexBytes: heapBytes + revisionBytes + slotBytes,
};
process.stdout.write(`${JSON.stringify(answer)}\n`);
await store.close();
