/**
 * HashKV of a file: the index is built as at a server's start, asked which records count, and thrown away.
 * @see etcd etcdutl/etcdutl/hashkv_command.go, src/engine/hashes.ts for the same beside a server
 */
import { SystemFile } from "../../native-free/file.ts";
import { FINISHED_COMPACT_REV, META, SCHEDULED_COMPACT_REV } from "../backend/buckets.ts";
import { RecordScan } from "../backend/record-scan.ts";
import { readRevision } from "../backend/revision.ts";
import { EtcdError } from "../base/errors.ts";
import type { KeyIndex } from "../mvcc/key-index.ts";
import { restoreIndex } from "../mvcc/restore.ts";
import type { RevisionSet } from "../mvcc/revision-set.ts";
import { PageReader } from "../pagefile/page-reader.ts";
import type { ReadTx } from "../pagefile/tx.ts";
import type { KvHashRule, PinnedFile } from "./hash.ts";
import type { HashKvFileInput, HashKvFileOutput } from "./hash-kv-file.ts";
import { hashPinned } from "./hash-work.ts";
import { type OfflineView, readOffline } from "./offline-file.ts";
import { ProgressWriter } from "./progress.ts";

/** `hashPinned` has the phase before them. */
const READING = 1;
const CHOOSING = 2;

/** The scan of the keys reads past it. */
const CACHE_BYTES = 1024 * 1024;

/** Keys between two looks at whether to stop. */
const WORK_PER_LOOK = 65_536;

/** The job itself, on whatever thread. */
export async function hashKvFile(
  { path, revision }: HashKvFileInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<HashKvFileOutput> {
  const { value, reading } = await readOffline(path, (view) => hashOf(view, revision, progress));
  return { ...value, reading };
}

async function hashOf(
  { file, meta }: OfflineView,
  asked: number,
  progress: ProgressWriter,
): Promise<Omit<HashKvFileOutput, "reading">> {
  const pinned = { path: file.path, fd: file.fd, meta };
  const rule = await ruleOf(pinned, asked, progress);
  const hash = hashPinned({ ...pinned, rule }, progress);
  return { hash, revision: rule.revision, compactRevision: rule.compactRevision };
}

async function ruleOf(
  { path, fd, meta }: PinnedFile,
  asked: number,
  progress: ProgressWriter,
): Promise<KvHashRule> {
  const reader = new PageReader(SystemFile.borrow(path, fd), meta.pageBytes, CACHE_BYTES);
  try {
    const compactRevision = within(reader.view(meta), compactedOf);
    const scan = new RecordScan({ path, beginRead: () => reader.view(meta) });
    progress.phase(READING, meta.pgid * meta.pageBytes);
    const { index, lastRevision } = await restoreIndex(
      { scan: async ({ limit }) => scan.next(limit) },
      ({ recordBytes }) => progress.done(recordBytes),
    );
    const current = Math.max(lastRevision, compactRevision);
    if (asked > current) throw new EtcdError("FUTURE");
    if (asked > 0 && asked < compactRevision) throw new EtcdError("COMPACTED");
    const revision = asked === 0 ? current : asked;
    progress.phase(CHOOSING, 0);
    const { mains: keptMains, subs: keptSubs } = keptOf(index, revision, compactRevision, progress);
    return { revision, compactRevision, keptMains, keptSubs };
  } finally {
    reader.close();
  }
}

/** As it would be when a server has started with it. */
function compactedOf(tx: ReadTx): number {
  const meta = tx.bucket(META);
  const at = (key: Uint8Array): number => {
    const value = meta?.get(key);
    return (value && readRevision(value)?.main) ?? -1;
  };
  return Math.max(at(FINISHED_COMPACT_REV), at(SCHEDULED_COMPACT_REV));
}

/** Where no key is there at the revision, all counts that the compaction leaves: see `Hashes`. */
function keptOf(
  index: KeyIndex,
  revision: number,
  compactRevision: number,
  progress: ProgressWriter,
): Pick<RevisionSet, "mains" | "subs"> {
  if (compactRevision < 0 || revision < 0) {
    return { mains: new Float64Array(0), subs: new Uint32Array(0) };
  }
  const kept = swept(index, revision, progress);
  return kept.count === 0 ? swept(index, compactRevision, progress) : kept;
}

function swept(index: KeyIndex, revision: number, progress: ProgressWriter): RevisionSet {
  const sweep = index.keep(revision);
  while (sweep.step(WORK_PER_LOOK) === "running") progress.done(0);
  return sweep.kept;
}

function within<T>(tx: ReadTx, look: (tx: ReadTx) => T): T {
  try {
    return look(tx);
  } finally {
    tx.close();
  }
}
