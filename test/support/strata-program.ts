/**
 * A strata in a process of its own, to be killed: opens the data dir of its first argument with the options of its
 * second, and does what the lines on its input ask for, many at a time. Each answer is written, past all buffers, when
 * what was asked for has come about, and not before.
 *
 * Made plain JavaScript by `compiled`, because Node 20 does not run TypeScript. See `strata-process.ts`.
 */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import {
  compare,
  EtcdError,
  type KeyValue,
  op,
  Strata,
  type StrataOptions,
} from "../../src/index.ts";
import type {
  Action,
  Change,
  HashKv,
  Maintained,
  Outcome,
  Revision,
  Row,
  State,
  Upkeep,
} from "./member-actions.ts";

export type Call =
  | { readonly call: "act"; readonly action: Action }
  | { readonly call: "state" }
  | { readonly call: "history"; readonly from: number }
  /** At a revision, or now. */
  | { readonly call: "hash"; readonly revision?: number | undefined }
  | { readonly call: "maintain"; readonly upkeep: Upkeep }
  | { readonly call: "close"; readonly handover: boolean };

export interface Asked {
  readonly id: number;
  readonly asked: Call;
}

export type Told =
  | { readonly id: typeof JOBS; readonly jobs: readonly string[] }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };

/** Of the line that says it is open. */
export const OPENED = 0;

/** Of a line that says which jobs run now, as `kind phase`. */
export const JOBS = -1;

const JOBS_MS = 2;

/** All of it has left this process when this returns. */
function tell(told: Told): void {
  let left = Buffer.from(`${JSON.stringify(told)}\n`);
  while (left.length > 0) left = left.subarray(writeSome(left));
}

/** Node's end of a pipe takes no more than there is room for. */
function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}

async function act(store: Strata, action: Action): Promise<Outcome> {
  try {
    return { kind: "done", ...(await perform(store, action)) };
  } catch (error) {
    if (error instanceof EtcdError) return { kind: "refused", why: error.message };
    throw error;
  }
}

async function perform(
  store: Strata,
  action: Action,
): Promise<{ revision?: number; changed?: boolean }> {
  switch (action.kind) {
    case "put": {
      const { revision } = await store.put(action.key, action.value, { lease: leaseOf(action) });
      return { revision: Number(revision), changed: true };
    }
    case "delete": {
      const { key, end } = action;
      const { revision, deleted } = await store.delete(
        end === undefined ? key : { start: key, end },
      );
      return { revision: Number(revision), changed: deleted > 0 };
    }
    case "txn": {
      const ops = (changes: readonly Change[]): ReturnType<typeof op.put>[] =>
        changes.map((change) =>
          change.kind === "put"
            ? op.put(change.key, change.value, { lease: leaseOf(change) })
            : op.delete(
                change.end === undefined ? change.key : { start: change.key, end: change.end },
              ),
        );
      const { revision } = await store.txn({
        compare: [compare.version(action.ifThere, ">", 0)],
        success: ops(action.success),
        failure: ops(action.failure),
      });
      return { revision: Number(revision), changed: true };
    }
    case "grant":
      await store.lease.grant(action.ttl, { id: BigInt(action.id) });
      return {};
    case "revoke":
      await store.lease.revoke(BigInt(action.id));
      return {};
    case "keepAlive":
      await store.lease.keepAlive(BigInt(action.id));
      return {};
    case "compact":
      await store.compact(action.revision);
      return {};
    case "raiseAlarm":
      await store.alarms.activate("noSpace");
      return {};
    case "disarm":
      await store.alarms.disarm("noSpace");
      return {};
  }
}

function leaseOf({ lease }: { readonly lease?: string | undefined }): bigint {
  return BigInt(lease ?? 0);
}

async function state(store: Strata): Promise<State> {
  const { revision, compactedRevision, memberId, clusterId, alarms } = store.status();
  const rows: Row[] = [];
  for await (const kv of store.range({ prefix: "" })) rows.push(rowOf(kv));
  const leases = [];
  for (const id of await store.lease.list()) {
    const status = await store.lease.timeToLive(id, { keys: true });
    if (status === undefined) continue;
    const keys = status.keys.map((key) => Buffer.from(key).toString());
    leases.push({ id: String(id), ttl: status.ttl, grantedTtl: status.grantedTtl, keys });
  }
  return {
    revision: Number(revision),
    compacted: Number(compactedRevision),
    member: String(memberId),
    cluster: String(clusterId),
    alarms: alarms.map(({ memberId, alarm }) => `${memberId} ${alarm}`),
    rows,
    leases,
  };
}

function rowOf(kv: KeyValue): Row {
  return {
    key: kv.key.string(),
    value: kv.value.string(),
    create: Number(kv.createRevision),
    mod: Number(kv.modRevision),
    version: Number(kv.version),
    lease: String(kv.lease),
  };
}

/** All revisions from one on, as a watch hands them out. */
async function history(store: Strata, from: number): Promise<Revision[]> {
  const last = Number(store.status().revision);
  const revisions: Revision[] = [];
  if (from > last) return revisions;
  for await (const { events } of store.watch({ prefix: "" }, { startRevision: from })) {
    for (const { type, kv } of events) {
      const main = Number(kv.modRevision);
      if (revisions.at(-1)?.main !== main) revisions.push({ main, events: [] });
      revisions.at(-1)?.events.push(type === "put" ? rowOf(kv) : { deleted: kv.key.string() });
    }
    if ((revisions.at(-1)?.main ?? 0) >= last) break;
  }
  return revisions;
}

async function hash(store: Strata, at: number | undefined): Promise<HashKv> {
  const { hash, revision, compactRevision } = await store.hashKv(at ?? 0);
  return { hash, revision: Number(revision), compacted: Number(compactRevision) };
}

/** Never rejects: whoever asks wants to know how it ended. */
async function maintained(store: Strata, upkeep: Upkeep): Promise<Maintained> {
  try {
    switch (upkeep.kind) {
      case "defragment": {
        const { outcome, reason = "" } = await store.defragment({ force: true });
        return { outcome, why: reason };
      }
      case "saveSnapshot":
        await store.saveSnapshot(upkeep.path);
        break;
      case "compact":
        await store.compact(upkeep.revision, { physical: true });
        break;
      case "cancel": {
        const jobs = store.jobs.list().filter(({ canBeCancelled }) => canBeCancelled);
        const job = jobs[upkeep.nth % jobs.length];
        if (job === undefined) return { outcome: "refused", why: "none runs" };
        store.jobs.cancel(job.id);
        break;
      }
    }
    return { outcome: "done", why: "" };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return { outcome: code === "CANCELED" ? "cancelled" : "refused", why: `${code} ${error}` };
  }
}

/** Says which jobs run, whenever that changes. */
function tellJobs(store: Strata): void {
  let told = "";
  setInterval(() => {
    const jobs = store.jobs.list().map(({ kind, phase }) => `${kind} ${phase}`);
    const now = jobs.join();
    if (now === told) return;
    told = now;
    tell({ id: JOBS, jobs });
  }, JOBS_MS).unref();
}

async function answer(store: Strata, asked: Call): Promise<unknown> {
  switch (asked.call) {
    case "act":
      return act(store, asked.action);
    case "state":
      return state(store);
    case "history":
      return history(store, asked.from);
    case "hash":
      return hash(store, asked.revision);
    case "maintain":
      return maintained(store, asked.upkeep);
    case "close":
      await store.close({ handover: asked.handover });
      return undefined;
  }
}

async function serve(): Promise<void> {
  const [dir = "", options = "{}"] = process.argv.slice(2);
  const store = await Strata.open({ dir }, JSON.parse(options) as StrataOptions);
  tell({ id: OPENED, answer: undefined });
  if (process.env.STRATA_TELL_JOBS === "1") tellJobs(store);
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, asked } = JSON.parse(line) as Asked;
    answer(store, asked).then(
      (answer) => tell({ id, answer }),
      (error: unknown) => tell({ id, error: String(error) }),
    );
  }
}

if (process.argv[1] === import.meta.filename) {
  serve().catch((error: unknown) => {
    tell({
      id: OPENED,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    process.exit(1);
  });
}
