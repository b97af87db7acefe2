/** A store of a test's own, gone when the test is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Strata, type StrataOptions } from "../engine/strata.ts";

export interface TemporaryStore {
  readonly store: Strata;
  /** Its data dir. A real etcd may be started on it once the store is closed. */
  readonly dir: string;
  /** Closes the store and removes the data dir. Twice is harmless. */
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A durable store in a new data dir of the system's temporary folder. Where the disk does not matter, `{ memory: true }` is quicker. */
export async function openTemporary(options: StrataOptions = {}): Promise<TemporaryStore> {
  const dir = mkdtempSync(join(tmpdir(), "strata-"));
  let store: Strata;
  try {
    store = await Strata.open({ dir }, options);
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  const remove = async (): Promise<void> => {
    try {
      await store.close();
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  };
  return { store, dir, remove, [Symbol.asyncDispose]: remove };
}
