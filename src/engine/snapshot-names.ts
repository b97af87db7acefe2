/** What scheduled snapshots are called: so that names sort by time, and say which revision is in the file. */

export interface SnapshotName {
  readonly name: string;
  /** Since 1970, UTC; whole seconds. */
  readonly takenMs: number;
  readonly revision: bigint;
}

const PATTERN = /^snapshot-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-r(\d{10,19})\.db$/;

/** Names stay in order up to this many digits. */
const REVISION_DIGITS = 10;

/** `snapshot-20261122T213000Z-r0000001234.db` */
export function snapshotName(taken: Date, revision: bigint): string {
  const time = taken
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:]/g, "");
  return `snapshot-${time}-r${revision.toString().padStart(REVISION_DIGITS, "0")}.db`;
}

/** Undefined for what has another name: it is somebody else's, and left alone. */
export function readSnapshotName(name: string): SnapshotName | undefined {
  const [, year, month, day, hour, minute, second, revision = ""] = PATTERN.exec(name) ?? [];
  if (year === undefined) return undefined;
  const takenMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(takenMs) ? undefined : { name, takenMs, revision: BigInt(revision) };
}
