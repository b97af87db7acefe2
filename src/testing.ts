/** For tests of programs that use a store: a temporary one, time that is wound by hand, and disks that let one down. */
export { MemoryTree } from "../native-free/memory-tree.ts";
export { ErrorDisk, type Fault, type Operation } from "./testing/error-disk.ts";
export { ManualClock } from "./testing/manual-clock.ts";
export {
  type DiskEvent,
  describeEvent,
  PowerCutDisk,
  PowerCutError,
  type PowerCutOptions,
  type Survival,
} from "./testing/power-cut-disk.ts";
export { type Rng, rng } from "./testing/rng.ts";
export { openTemporary, type TemporaryStore } from "./testing/temporary-store.ts";
