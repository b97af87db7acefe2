/**
 * What a member must have, kept up from what it has acknowledged, and nothing else. It forgets nothing, so it also knows
 * the hash of every revision.
 *
 * `follow` takes a history as the member tells it, revision by revision. Each must be the whole effect of one action:
 * of that which was answered with this revision, or of one whose answer is lost, or of a lease that has run out.
 */
import { isDeepStrictEqual } from "node:util";
import { crc32c } from "../../native-free/crc32c.ts";
import type {
  Action,
  Change,
  HashKv,
  HistoryEvent,
  Outcome,
  Revision,
  Row,
  State,
} from "./member-actions.ts";

/** An action that was asked for. */
export class Issued {
  readonly action: Action;
  /** Its effect comes after this revision: it was known to have been reached before it was asked for. */
  readonly afterRevision: number;
  outcome: Outcome | undefined;

  constructor(action: Action, afterRevision: number) {
    this.action = action;
    this.afterRevision = afterRevision;
  }
}

interface LeaseModel {
  readonly ttl: number;
  readonly grantedAtMs: number;
  /** `maybe`: whoever granted or revoked it has lost the answer. `ending`: it was revoked, whenever its keys go. */
  standing: "granted" | "maybe" | "ending";
}

interface StoredRecord {
  readonly main: number;
  readonly sub: number;
  readonly event: HistoryEvent;
}

/** What the history was explained by. */
export interface ModelCounts {
  acknowledged: number;
  refused: number;
  lost: number;
  /** Of those that were lost, how many had come about. */
  lostButDone: number;
  expired: number;
  revisions: number;
  compactions: number;
}

export class MemberModel {
  readonly rows: Map<string, Row> = new Map();
  readonly leases: Map<string, LeaseModel> = new Map();
  readonly counts: ModelCounts = {
    acknowledged: 0,
    refused: 0,
    lost: 0,
    lostButDone: 0,
    expired: 0,
    revisions: 0,
    compactions: 0,
  };
  readonly #records: StoredRecord[] = [];
  readonly #claimed = new Map<number, Issued>();
  /** Whether they came about, and when, is not known. */
  #open: Issued[] = [];
  #alarm: "raised" | "maybe" | "none" = "none";
  /** Up to which the history was followed. */
  revision = 1;
  compacted = -1;
  /** The highest that was answered. */
  highestRevision = 1;
  #compactedAtMost = -1;
  #member: string | undefined;
  #cluster: string | undefined;

  get memberId(): string {
    return this.#member ?? "0";
  }

  get alarmed(): boolean {
    return this.#alarm !== "none";
  }

  issue(action: Action): Issued {
    if (action.kind === "grant") {
      const granted: LeaseModel = {
        ttl: Math.max(action.ttl, 2),
        grantedAtMs: Date.now(),
        standing: "maybe",
      };
      this.leases.set(action.id, granted);
    }
    return new Issued(action, this.highestRevision);
  }

  /** Takes in what an action was answered with. @throws Error if that cannot be */
  answered(issued: Issued, outcome: Outcome): void {
    issued.outcome = outcome;
    const { action } = issued;
    if (outcome.kind === "refused") {
      this.counts.refused++;
      if (action.kind === "grant") this.leases.delete(action.id);
      return;
    }
    if (outcome.kind === "lost") this.counts.lost++;
    else this.counts.acknowledged++;
    const isDone = outcome.kind === "done";
    switch (action.kind) {
      case "grant": {
        const lease = this.leases.get(action.id);
        if (isDone && lease?.standing === "maybe") lease.standing = "granted";
        return;
      }
      case "revoke": {
        const lease = this.leases.get(action.id);
        if (lease !== undefined && lease.standing !== "ending")
          lease.standing = isDone ? "ending" : "maybe";
        this.#open.push(issued);
        return;
      }
      case "keepAlive":
        return;
      case "compact":
        this.#compactedAtMost = Math.max(this.#compactedAtMost, action.revision);
        if (isDone) {
          this.compacted = Math.max(this.compacted, action.revision);
          this.counts.compactions++;
        }
        return;
      case "raiseAlarm":
        if (isDone) this.#alarm = "raised";
        else if (this.#alarm === "none") this.#alarm = "maybe";
        return;
      case "disarm":
        this.#alarm = isDone ? "none" : "maybe";
        return;
      default:
        this.#answeredChange(issued, outcome);
    }
  }

  #answeredChange(issued: Issued, outcome: Outcome): void {
    if (outcome.kind !== "done") {
      this.#open.push(issued);
      return;
    }
    const { revision = 0, changed } = outcome;
    if (revision < issued.afterRevision) {
      fail(`answered with revision ${revision} after ${issued.afterRevision} was known`, issued);
    }
    this.highestRevision = Math.max(this.highestRevision, revision);
    if (!changed) return;
    if (revision === issued.afterRevision) fail(`revision ${revision} was there before it`, issued);
    const other = this.#claimed.get(revision);
    if (other !== undefined)
      fail(`revision ${revision} was given to another, too`, [issued, other]);
    this.#claimed.set(revision, issued);
  }

  /** @throws Error at the first revision that nothing explains */
  follow(history: readonly Revision[]): void {
    for (const { main, events } of history) {
      if (main !== this.revision + 1) fail(`revision ${this.revision + 1} is not there`, main);
      this.#explain(main, events);
      events.forEach((event, sub) => {
        this.#records.push({ main, sub, event });
        if ("deleted" in event) this.rows.delete(event.deleted);
        else this.rows.set(event.key, event);
      });
      this.revision = main;
      this.counts.revisions++;
    }
  }

  /** From now on, what has not come about never will: the member that was asked has gone. */
  settle(): void {
    this.#open = [];
  }

  #explain(main: number, events: readonly HistoryEvent[]): void {
    const claimed = this.#claimed.get(main);
    if (claimed !== undefined) {
      this.#claimed.delete(main);
      const expected = this.#effect(claimed.action, main);
      if (!isDeepStrictEqual(expected, events)) {
        fail(`revision ${main} is not what was acknowledged`, { expected, events, claimed });
      }
      return;
    }
    const at = this.#open.findIndex(
      ({ action, afterRevision }) =>
        afterRevision < main && isDeepStrictEqual(this.#effect(action, main), events),
    );
    const [found] = at === -1 ? [] : this.#open.splice(at, 1);
    if (found !== undefined) {
      if (found.outcome?.kind === "lost") this.counts.lostButDone++;
      return;
    }
    for (const [id, lease] of this.leases) {
      const isOver = Date.now() >= lease.grantedAtMs + lease.ttl * 1000;
      if (!isOver || !isDeepStrictEqual(this.#deleted(this.keysOf(id)), events)) continue;
      this.leases.delete(id);
      this.counts.expired++;
      return;
    }
    fail(`nobody asked for revision ${main}`, { events, open: this.#open });
  }

  keysOf(lease: string): string[] {
    return [...this.rows.values()]
      .filter((row) => row.lease === lease)
      .map(({ key }) => key)
      .sort();
  }

  #effect(action: Action, main: number): HistoryEvent[] {
    switch (action.kind) {
      case "put":
      case "delete":
        return this.#changes([action], main);
      case "txn":
        return this.#changes(this.rows.has(action.ifThere) ? action.success : action.failure, main);
      case "revoke":
        return this.#deleted(this.keysOf(action.id));
      default:
        return [];
    }
  }

  /** No key is changed twice. */
  #changes(changes: readonly Change[], main: number): HistoryEvent[] {
    return changes.flatMap((change): HistoryEvent[] => {
      if (change.kind === "put") {
        const { key, value, lease = "0" } = change;
        const before = this.rows.get(key);
        const { create, version } = before ?? { create: main, version: 0 };
        return [{ key, value, create, mod: main, version: version + 1, lease }];
      }
      const { key, end } = change;
      const isIn = (name: string): boolean =>
        end === undefined ? name === key : name >= key && name < end;
      return this.#deleted([...this.rows.keys()].filter(isIn).sort());
    });
  }

  #deleted(keys: readonly string[]): HistoryEvent[] {
    return keys.map((deleted) => ({ deleted }));
  }

  /**
   * Everything but the history. It tells the model which of the leases, alarms and compactions in doubt there are.
   * @throws Error at what should not be as it is
   */
  check(state: State): void {
    const { revision, compacted, member, cluster, alarms, rows, leases } = state;
    this.#member ??= member;
    this.#cluster ??= cluster;
    same("the member", member, this.#member);
    same("the cluster", cluster, this.#cluster);
    same("the revision", revision, this.revision);
    if (this.#claimed.size > 0) fail("acknowledged, and not there", [...this.#claimed]);
    const expected = [...this.rows.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    same("the keys", rows, expected);
    if (compacted < this.compacted || compacted > this.#compactedAtMost) {
      fail(`compacted at ${compacted}`, [this.compacted, this.#compactedAtMost]);
    }
    this.compacted = compacted;
    this.#compactedAtMost = compacted;
    if (this.#alarm === "maybe") this.#alarm = alarms.length > 0 ? "raised" : "none";
    same("the alarms", alarms, this.#alarm === "raised" ? [`${member} 1`] : []);
    this.#checkLeases(new Map(leases.map((lease) => [lease.id, lease])));
  }

  #checkLeases(found: Map<string, State["leases"][number]>): void {
    for (const [id, lease] of this.leases) {
      const there = found.get(id);
      found.delete(id);
      const isOver = Date.now() >= lease.grantedAtMs + lease.ttl * 1000;
      if (there === undefined) {
        if (lease.standing === "granted" && !isOver) fail(`lease ${id} is not there`, lease);
        same(`keys of lease ${id}, which is gone,`, this.keysOf(id), []);
        this.leases.delete(id);
        continue;
      }
      if (lease.standing === "ending") fail(`lease ${id} was revoked, and is there`, lease);
      lease.standing = "granted";
      same(`TTL granted to ${id}`, there.grantedTtl, lease.ttl);
      same(`keys of lease ${id}`, there.keys, this.keysOf(id));
      if (there.ttl > lease.ttl) fail(`lease ${id} has ${there.ttl} s left`, lease);
    }
    same("leases that nobody granted", [...found.keys()], []);
  }

  /** @throws Error if it is not that of the current revision */
  checkHash({ hash, revision, compacted }: HashKv): void {
    same(
      "what was hashed",
      { revision, compacted },
      {
        revision: this.revision,
        compacted: this.compacted,
      },
    );
    // With no key alive, etcd counts tombstones that compaction has left; then nothing can be said.
    if (this.rows.size > 0) same("HashKV", hash, this.#hash(revision, compacted));
  }

  /** @throws Error if it is not that of its revision, which the model has come to; whenever it was compacted */
  checkOldHash({ hash, revision, compacted }: HashKv): void {
    const expected = this.#hash(revision, compacted);
    same(`HashKV of ${revision}, compacted at ${compacted}`, hash, expected);
  }

  #hash(revision: number, compacted: number): number {
    let crc = crc32c(Buffer.from("key"));
    const records = this.#records.filter(({ main }) => main <= revision);
    const newest = new Map<string, StoredRecord>();
    for (const record of records) {
      const { event } = record;
      newest.set("deleted" in event ? event.deleted : event.key, record);
    }
    for (const record of records) {
      const { main, sub, event } = record;
      const isTombstone = "deleted" in event;
      const isAlive = !isTombstone && newest.get(event.key) === record;
      if (main <= compacted && !isAlive) continue;
      const key = Buffer.alloc(isTombstone ? 18 : 17, "_");
      key.writeBigInt64BE(BigInt(main), 0);
      key.writeBigInt64BE(BigInt(sub), 9);
      if (isTombstone) key.write("t", 17);
      crc = crc32c(keyValue(event), crc32c(key, crc));
    }
    return crc >>> 0;
  }
}

/** mvccpb.KeyValue, written down a second time. */
function keyValue(event: HistoryEvent): Buffer {
  if ("deleted" in event) return bytesField(1, event.deleted);
  return Buffer.concat([
    bytesField(1, event.key),
    numberField(2, BigInt(event.create)),
    numberField(3, BigInt(event.mod)),
    numberField(4, BigInt(event.version)),
    bytesField(5, event.value),
    numberField(6, BigInt(event.lease)),
  ]);
}

function bytesField(field: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length === 0) return bytes;
  return Buffer.concat([Buffer.from([field * 8 + 2]), varint(BigInt(bytes.length)), bytes]);
}

function numberField(field: number, value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([field * 8]), varint(value)]);
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80n; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

function same(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return;
  if (Array.isArray(found) && Array.isArray(expected)) {
    const at = found.findIndex((each, i) => !isDeepStrictEqual(each, expected[i]));
    const i = at === -1 ? found.length : at;
    fail(`${what}: ${found.length} and not ${expected.length}; at ${i}`, {
      found: found[i],
      expected: expected[i],
    });
  }
  fail(what, { found, expected });
}

function fail(what: string, details: unknown): never {
  throw new Error(`${what}: ${JSON.stringify(details).slice(0, 3000)}`);
}
