/** What the watch engine needs of the store. */
import type { RevisionSet } from "../revision-set.ts";

/**
 * One change of a transaction, as the store hands it over and as history is read.
 *
 * `kv` is the encoded mvccpb.KeyValue as the page file has it: of a tombstone the key alone.
 */
export interface Change {
  /** One character a byte. */
  readonly key: string;
  readonly sub: number;
  readonly tombstone: boolean;
  readonly kv: Uint8Array;
}

/**
 * @param kv  the encoded KeyValue; valid until the visitor returns
 * @returns false to stop
 */
export type HistoryVisitor = (
  main: number,
  sub: number,
  tombstone: boolean,
  kv: Uint8Array,
) => boolean;

/**
 * Bytes that a method returns are valid until the next call of any method. A StrataError out of one ends the watchers
 * that needed it, with that error.
 */
export interface WatchSource {
  /** The last applied main revision, of which `WatchHub.changed` has been told. Asked once, by the hub's constructor. */
  readonly currentRevision: number;
  /** Reads below it fail; -1 = nothing was compacted. Raised before any history is given up. */
  readonly compactedRevision: number;
  /**
   * The changes of keys in a range at or above `fromRev`, sorted; of a transaction that changed a key more than once,
   * the last change alone.
   * @param end  "" = `start` alone, "\0" = no end
   * @param keysMax  give up when the range has more keys: what this call may cost the main loop
   * @returns undefined if it has
   */
  revisionsSince(
    start: string,
    end: string,
    fromRev: number,
    keysMax: number,
  ): RevisionSet | undefined;
  /** Visits all changes at or above `fromRev` in order of main and sub. */
  scan(fromRev: number, visit: HistoryVisitor): void;
  /** The encoded KeyValue of a revision that `revisionsSince` named, and that is not below the compacted revision. */
  read(main: number, sub: number): { readonly kv: Uint8Array; readonly tombstone: boolean };
  /** The encoded KeyValue of a key as it was at `atRev`; undefined if it was not there, or `atRev` is compacted. */
  readKey(key: string, atRev: number): Uint8Array | undefined;
}
