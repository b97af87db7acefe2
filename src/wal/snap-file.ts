/**
 * `.snap` files: a snapshot of the log's state at an index, which reading the log can begin with.
 *
 * snappb.snapshot {1 crc, 2 data}: crc is the CRC-32C of data, and data raftpb.Snapshot {1 data, 2 metadata {1
 * conf_state, 2 index, 3 term}}, all of them always written. Its data is JSON about the members; the keys are in the
 * page file. Named by term and index: the greatest name is the newest.
 *
 * etcd writes such a file in place. Here it comes under another name, is synced and renamed: a file under its own name
 * is whole.
 *
 * @see etcd server/etcdserver/api/snap/snapshotter.go
 */
import { crc32c } from "../../native-free/crc32c.ts";
import type { Directory } from "../../native-free/file.ts";
import { StrataError } from "../base/errors.ts";
import { EMPTY_BYTES, FieldReader, FieldWriter } from "../proto/protobuf.ts";
import { removeInSteps } from "./remove-in-steps.ts";
import {
  type ConfState,
  decodeConfState,
  encodeConfState,
  type WalSnapshot,
} from "./snapshot-record.ts";

export interface RaftSnapshot {
  /** Whole, below 2^53, as is the term. */
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
  readonly data: Uint8Array;
}

/** etcd's --max-snapshots. */
export const KEPT_SNAPS: number = 5;

/** What a crash leaves of a file to be. etcd, too, removes at its start whatever begins with `db.tmp`. */
const UNFINISHED_NAME = "db.tmp.snap-file";
/** A page file becomes this before it is cut away. */
const RELEASED_NAME = "db.tmp.released";
const LEFTOVER = /^db\.tmp/;

const NAME = /^[0-9a-f]{16}-[0-9a-f]{16}\.snap$/;
const DATABASE_NAME = /^([0-9a-f]{16})\.snap\.db$/;

/** As etcd makes them; bits that the process masks are off. */
const PERMISSIONS = 0o666;

export function snapName({ term, index }: Pick<RaftSnapshot, "term" | "index">): string {
  return `${hex16(term)}-${hex16(index)}.snap`;
}

export function encodeSnapFile({ index, term, confState, data }: RaftSnapshot): Uint8Array {
  const metadata = new FieldWriter()
    .message(1, encodeConfState(confState))
    .number(2, index)
    .number(3, term)
    .bytes();
  const snapshot = new FieldWriter().message(1, data).message(2, metadata).bytes();
  return new FieldWriter().number(1, crc32c(snapshot)).message(2, snapshot).bytes();
}

/** @returns the snapshot, its data a view of `bytes`; or what is wrong with them */
export function decodeSnapFile(bytes: Uint8Array): RaftSnapshot | string {
  let crc = 0;
  let inside = EMPTY_BYTES;
  const fields = new FieldReader().open(bytes);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(0)) crc = fields.low;
    else if (fields.field === 2 && fields.is(2)) inside = fields.view;
  }
  if (fields.fault !== undefined) return fields.fault;
  if (crc === 0 || inside.length === 0) return "an empty snapshot";
  const found = crc32c(inside);
  if (found !== crc) return `a crc of ${hex8(crc)} where the data have ${hex8(found)}`;
  return decodeSnapshot(inside);
}

function decodeSnapshot(bytes: Uint8Array): RaftSnapshot | string {
  let data = EMPTY_BYTES;
  let confState: ConfState | string = NO_CONF_STATE;
  let index = 0;
  let term = 0;
  const fields = new FieldReader().open(bytes);
  while (fields.next()) {
    if (fields.field === 1 && fields.is(2)) data = fields.view;
    else if (fields.field === 2 && fields.is(2)) {
      const metadata = new FieldReader().open(bytes, fields.start, fields.start + fields.length);
      while (metadata.next()) {
        if (metadata.field === 1 && metadata.is(2)) confState = decodeConfState(metadata.view);
        else if (metadata.field === 2 && metadata.is(0)) index = metadata.number;
        else if (metadata.field === 3 && metadata.is(0)) term = metadata.number;
      }
      if (metadata.fault !== undefined) return `metadata: ${metadata.fault}`;
    }
  }
  if (typeof confState === "string") return `conf_state: ${confState}`;
  return fields.fault ?? { index, term, confState, data };
}

const NO_CONF_STATE: ConfState = {
  voters: [],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

/**
 * Writes a snapshot; it is on the disk, under its name, when this returns. Its record in the log comes after it, and
 * the page file, with all that came up to its index, before.
 *
 * @returns the name
 */
export function writeSnapFile(directory: Directory, snapshot: RaftSnapshot): string {
  const name = snapName(snapshot);
  const bytes = encodeSnapFile(snapshot);
  const file = directory.openFile(UNFINISHED_NAME, "create", PERMISSIONS);
  try {
    file.truncate(0);
    file.write(0, bytes);
    file.sync();
  } finally {
    file.close();
  }
  directory.rename(UNFINISHED_NAME, name);
  directory.sync();
  return name;
}

export interface LoadedSnap {
  /** Undefined: there is none to begin with. */
  readonly snapshot: RaftSnapshot | undefined;
  /** Files that were none, and why: they are now called `<name>.broken`. */
  readonly broken: readonly { readonly name: string; readonly why: string }[];
}

/**
 * The newest snapshot whose record is in the log. Puts unreadable ones out of the way, and removes what a crash left of
 * files to be: who calls holds the data directory's lock.
 *
 * @param valid  as of `validSnapshots`.
 * @throws the system's errors: a file that cannot be read now is not broken
 */
export function loadNewestSnap(
  directory: Directory,
  valid: readonly Pick<WalSnapshot, "index" | "term">[],
): LoadedSnap {
  const names = directory.list();
  for (const name of names) if (LEFTOVER.test(name)) directory.remove(name);
  const broken: { name: string; why: string }[] = [];
  let snapshot: RaftSnapshot | undefined;
  for (const name of snapNames(names).reverse()) {
    const decoded = decodeSnapFile(contentOf(directory, name));
    if (typeof decoded === "string") {
      directory.rename(name, `${name}.broken`);
      broken.push({ name, why: decoded });
    } else if (valid.some(({ index, term }) => index === decoded.index && term === decoded.term)) {
      snapshot = decoded;
      break;
    }
  }
  if (broken.length > 0) directory.sync();
  return { snapshot, broken };
}

/**
 * Removes the oldest files but `keep`; and page files that a leader once sent (`.snap.db`), if they are of an index
 * below the newest snapshot's. Call it when the newest one's record is in the log.
 *
 * @param keep  at least 1. Default: 5, as etcd.
 * @returns the names that are gone
 */
export function releaseSnapFiles(directory: Directory, keep: number = KEPT_SNAPS): string[] {
  if (!(keep >= 1)) throw new StrataError("BAD_ARGUMENT", `${keep} snapshots to be kept`);
  const names = directory.list();
  const snaps = snapNames(names);
  const newestIndex = snaps.at(-1)?.slice(17, 33) ?? "";
  const gone = snaps.slice(0, Math.max(0, snaps.length - keep));
  for (const name of names) {
    const index = DATABASE_NAME.exec(name)?.[1];
    if (index !== undefined && index < newestIndex) gone.push(name);
  }
  for (const name of gone) removeInSteps(directory, name, RELEASED_NAME);
  return gone;
}

/** Oldest first. */
function snapNames(names: readonly string[]): string[] {
  return names.filter((name) => NAME.test(name)).sort();
}

function contentOf(directory: Directory, name: string): Uint8Array {
  const file = directory.openFile(name, "read");
  try {
    const bytes = new Uint8Array(file.size());
    file.read(0, bytes);
    return bytes;
  } finally {
    file.close();
  }
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, "0");
}

function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}
