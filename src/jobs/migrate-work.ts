/** @see etcd etcdutl/etcdutl/migrate_command.go, server/storage/schema/migration.go, server/storage/wal/version.go */
import { join } from "node:path";
import { SystemDirectory } from "../../native-free/file.ts";
import { META, STORAGE_VERSION, TERM } from "../backend/buckets.ts";
import { utf8 } from "../base/bytes.ts";
import { reasonOf, StrataError } from "../base/errors.ts";
import { openPageFile } from "../pagefile/open.ts";
import type { PageFile } from "../pagefile/page-file.ts";
import { FieldReader } from "../proto/protobuf.ts";
import { EntryType } from "../wal/entry.ts";
import { readLog, validSnapshots } from "../wal/reader.ts";
import { NO_SNAPSHOT } from "../wal/snapshot-record.ts";
import type { MigrateInput, MigrateReport, StorageVersion } from "./migrate.ts";

/** Before it there is no row for the version; and the last one whose schema is known. */
const FIRST_WITH_ROW: StorageVersion = { major: 3, minor: 6 };
const OLDEST: StorageVersion = { major: 3, minor: 5 };

/** Of a request that etcd 3.6 logs to try a downgrade, and in it the version. */
const DOWNGRADE_TEST = 9900;
const DOWNGRADE_TEST_VERSION = 1;

/** The job itself, on whatever thread. */
export function migrate({ dataDir, target, force }: MigrateInput): MigrateReport {
  const database = openPageFile(join(dataDir, "member", "snap", "db"));
  try {
    const { text: from, version: current } = storageVersion(database);
    const to = shown(target);
    if (from === to) return { from, to: undefined, forcedAgainst: undefined };
    const log = new SystemDirectory(join(dataDir, "member", "wal"));
    const obstacle = noWay(current, target) ?? inTheLog(log, current, target);
    if (obstacle !== undefined && !force) throw new StrataError("INCOMPATIBLE", obstacle);
    database.update((tx) => {
      const meta = tx.createBucketIfNotExists(META);
      if (isBelow(target, FIRST_WITH_ROW)) meta.delete(STORAGE_VERSION);
      else meta.put(STORAGE_VERSION, utf8(to));
    });
    return { from, to, forcedAgainst: obstacle };
  } finally {
    database.close();
  }
}

/** As the row says; a database of 3.5 has none, and is told by its term. */
function storageVersion(database: PageFile): { text: string; version: StorageVersion } {
  return database.view((tx) => {
    const meta = tx.bucket(META);
    const row = versionOf(Buffer.from(meta?.get(STORAGE_VERSION) ?? []).toString());
    if (row !== undefined) return row;
    const hasTerm = meta?.get(TERM)?.some((byte) => byte !== 0) ?? false;
    if (!hasTerm) throw new StrataError("INCOMPATIBLE", "missing term information");
    return { text: shown(OLDEST), version: OLDEST };
  });
}

function versionOf(text: string): { text: string; version: StorageVersion } | undefined {
  const [whole, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  return { text: whole, version: { major: Number(major), minor: Number(minor) } };
}

/** In etcd's words: why there are no steps from here to there. */
function noWay(current: StorageVersion, target: StorageVersion): string | undefined {
  if (current.major !== target.major) {
    return "cannot create migration plan: changing major storage version is not supported";
  }
  const isUpgrade = isBelow(current, target);
  for (let minor = current.minor; minor !== target.minor; minor += isUpgrade ? 1 : -1) {
    // What a version brought is done on the way up to it, and undone on the way down from it.
    const changed = { major: current.major, minor: isUpgrade ? minor + 1 : minor };
    if (changed.minor === FIRST_WITH_ROW.minor) continue;
    return `cannot create migration plan: version ${JSON.stringify(shown(changed))} is not supported`;
  }
  return undefined;
}

/** In etcd's words: what the target could not read. */
function inTheLog(
  log: SystemDirectory,
  current: StorageVersion,
  target: StorageVersion,
): string | undefined {
  if (!isBelow(target, current)) return undefined;
  const needed = neededVersion(log);
  if (needed === undefined || !isBelow(target, needed)) return undefined;
  return (
    "cannot downgrade storage, WAL contains newer entries, as the target version " +
    `(${shown(target)}) is lower than the version (${shown(needed)}) detected from WAL logs`
  );
}

/** What it takes to read the entries behind the last snapshot, where that is more than 3.5. */
function neededVersion(log: SystemDirectory): StorageVersion | undefined {
  let needed: StorageVersion | undefined;
  const raise = (version: StorageVersion): void => {
    if (needed === undefined || isBelow(needed, version)) needed = version;
  };
  for (const { type, data } of entriesOf(log)) {
    if (type !== EntryType.normal || data === undefined) continue;
    const fields = new FieldReader().open(data);
    while (fields.next()) {
      if (fields.field !== DOWNGRADE_TEST || !fields.is(2)) continue;
      raise(FIRST_WITH_ROW);
      const asked = new FieldReader().open(data, fields.start, fields.start + fields.length);
      while (asked.next()) {
        if (asked.field !== DOWNGRADE_TEST_VERSION || !asked.is(2)) continue;
        const version = versionOf(Buffer.from(asked.view).toString())?.version;
        if (version !== undefined) raise(version);
      }
    }
  }
  return needed;
}

function entriesOf(log: SystemDirectory): ReturnType<typeof readLog>["entries"] {
  try {
    const from = validSnapshots(log).at(-1) ?? NO_SNAPSHOT;
    return readLog(log, from, "read").entries;
  } catch (error) {
    throw new StrataError("INCOMPATIBLE", `failed to read wal: ${reasonOf(error)}`);
  }
}

function isBelow(a: StorageVersion, b: StorageVersion): boolean {
  return a.major === b.major ? a.minor < b.minor : a.major < b.major;
}

function shown({ major, minor }: StorageVersion): string {
  return `${major}.${minor}.0`;
}
