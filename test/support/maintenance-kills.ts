/**
 * Kills a process with a store while it is looked after under a load: defragmentations, compactions, snapshots, some of
 * them cancelled, all at once. Half of the kills come at a random moment, half in the middle of an operation on the disk
 * that matters: see `AIMS`. Then somebody starts on what was left, strata or a real etcd, and is looked at.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StrataOptions } from "../../src/index.ts";
import { readStatus } from "../../src/jobs/snapshot-status-work.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { scratchFolder } from "./cleanup.ts";
import { compiled } from "./compiled.ts";
import { EtcdMember } from "./etcd-member.ts";
import { judgeCheck } from "./judge.ts";
import type { KillAim, KillNote, KillPlan } from "./kill-at.ts";
import type { HashKv, Maintained, RunningMember, Upkeep } from "./member-actions.ts";
import { MemberLoad } from "./member-load.ts";
import { MemberModel } from "./member-model.ts";
import { type Rng, rng } from "./rng.ts";
import { StrataProcess } from "./strata-process.ts";

export interface MaintenanceKills {
  readonly rounds: number;
  readonly seed: number;
  /** Every so many starts are a real etcd's. Default: none. */
  readonly etcdEvery?: number;
  /** Real bbolt looks at every so many files. Default: none. */
  readonly judgeEvery?: number;
}

/** What the rounds came to. */
export interface MaintenanceKillReport {
  readonly seed: number;
  /** Where each kill fell. */
  readonly phases: Record<string, number>;
  readonly aimed: number;
  /** Aims that were not come to in time, and killed at that moment. */
  readonly missed: number;
  /** What was asked for beside the load, and how it ended. */
  readonly upkeep: Record<string, number>;
  readonly litter: number;
  readonly snapshots: number;
  readonly hashes: number;
  readonly etcdStarts: number;
  readonly judged: number;
  readonly acknowledged: number;
  readonly lostButDone: number;
  readonly revisions: number;
  readonly compactions: number;
}

type Counts = { -readonly [K in keyof MaintenanceKillReport]: MaintenanceKillReport[K] };

/** Alarms are raised by hand, jobs are cancelled, and machines are busy. */
const EXPECTED =
  /^$|the database has no room for a write|because of the NOSPACE alarm|failed to defragment .* was cancelled|took too long|--trace-warnings/;

const LOOKS = 50;
const LOOK_MS = 50;

const ROUNDS_PER_FOLDER = 12;
const BALLAST_KEYS = 80;
const BALLAST_BYTES = 20_000;
const RANDOM_MS = 500;
const AIM_MS = 2500;

/** A temporary name of a database that is defragmented. */
const COPY = String.raw`/db\.tmp\.\d+`;

interface Aim extends Omit<KillAim, "nth" | "when"> {
  /** For the report. */
  readonly phase: string;
  readonly nthMax: number;
}

/** In the middle of what must not be torn apart. */
const AIMS: readonly Aim[] = [
  { phase: "copying", operation: "writeSync", path: `${COPY}$`, nthMax: 8 },
  {
    phase: "copying or catching up",
    operation: "(writev?|fdatasync)Sync",
    path: `${COPY}$`,
    nthMax: 40,
  },
  { phase: "swap: rename", operation: "renameSync", path: `${COPY} > .*/db$`, nthMax: 3 },
  { phase: "swap: directory sync", operation: "fsyncSync", path: "/member/snap$", nthMax: 3 },
  // It has no name any more.
  {
    phase: "old file given up",
    operation: "(write|writev|ftruncate|fdatasync)Sync",
    path: String.raw`/db \(deleted\)$`,
    nthMax: 4,
  },
  { phase: "copy discarded", operation: "(unlink|ftruncate)Sync", path: COPY, nthMax: 1 },
  {
    phase: "commit or compaction",
    operation: "(writev?|fdatasync)Sync",
    path: "/member/snap/db$",
    nthMax: 40,
  },
  {
    phase: "snapshot save",
    operation: "(write|fdatasync)Sync",
    path: String.raw`/snapshots/.*\.part$`,
    nthMax: 4,
  },
  { phase: "snapshot rename", operation: "renameSync", path: "/snapshots/", nthMax: 2 },
];

/** @throws Error naming seed and round at the first thing that is not as it must be */
export async function killMaintenance(kills: MaintenanceKills): Promise<MaintenanceKillReport> {
  const { rounds, seed } = kills;
  const scratch = scratchFolder("maintenance-kills");
  const report: Counts = {
    seed,
    phases: {},
    aimed: 0,
    missed: 0,
    upkeep: {},
    litter: 0,
    snapshots: 0,
    hashes: 0,
    etcdStarts: 0,
    judged: 0,
    acknowledged: 0,
    lostButDone: 0,
    revisions: 0,
    compactions: 0,
  };
  let folder: Folder | undefined;
  for (let round = 1; round <= rounds; round++) {
    if (folder === undefined || round % ROUNDS_PER_FOLDER === 0) {
      await folder?.leave();
      folder = new Folder(join(scratch, String(round)), rng(seed * 1000 + round), report);
    }
    try {
      await folder.round(round, kills);
    } catch (error) {
      const { message } = error as Error;
      const what = `seed ${seed}, round ${round}, killed: ${folder.told.join("; ")}: ${message}`;
      throw new Error(what, { cause: error });
    }
  }
  await folder?.leave();
  return report;
}

/** A data dir over many lives of whoever has it. */
class Folder {
  /** Where it was killed so far. */
  readonly told: string[] = [];
  readonly #folder: string;
  readonly #dir: string;
  readonly #snapshots: string;
  readonly #random: Rng;
  readonly #report: Counts;
  readonly #model = new MemberModel();
  readonly #load: MemberLoad;
  /** Acknowledged while it ran, to be found again. */
  #hashes: HashKv[] = [];
  #saved = new Set<string>();
  #nextSnapshot = 0;

  constructor(folder: string, random: Rng, report: Counts) {
    this.#folder = folder;
    this.#dir = join(folder, "data");
    this.#snapshots = join(folder, "snapshots");
    this.#random = random;
    this.#report = report;
    this.#load = new MemberLoad(this.#model, random);
    mkdirSync(this.#snapshots, { recursive: true });
  }

  async round(round: number, { etcdEvery = 0, judgeEvery = 0 }: MaintenanceKills): Promise<void> {
    const isJudged = judgeEvery > 0 && round % judgeEvery === 0;
    await this.#liveUntilKilled();
    this.#countLitter();
    this.#mustCheck("as it was left", isJudged);
    if (etcdEvery === 0 || round % etcdEvery > 0) return;
    this.#report.etcdStarts++;
    await using etcd = await EtcdMember.start(this.#dir, ["--snapshot-count", "1000"]);
    await this.#mustHoldAll(etcd);
    await etcd.end(this.#random.bool() ? "clean" : "kill");
    this.#mustCheck("after etcd", isJudged);
  }

  /** Looks at what the last kill left, counts what there was, and removes it. */
  async leave(): Promise<void> {
    {
      await using last = await this.#start(undefined);
      await this.#mustHoldAll(last);
      await last.end("clean");
    }
    this.#mustCheck("at the end", false);
    const { counts } = this.#model;
    this.#report.acknowledged += counts.acknowledged;
    this.#report.lostButDone += counts.lostButDone;
    this.#report.revisions += counts.revisions;
    this.#report.compactions += counts.compactions;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #mustHoldAll(found: RunningMember): Promise<void> {
    await this.#look(found);
    this.#model.settle();
    await this.#mustHaveNoLitter();
    await this.#mustHaveSnapshots();
  }

  #start(aim: KillAim | undefined): Promise<StrataProcess> {
    const random = this.#random;
    const options: StrataOptions = {
      name: "n1",
      // An alarm that is raised by hand stays.
      selfMaintain: false,
      snapshotCount: random.pick([100, 1000]),
      segmentBytes: random.pick([64 * 1024, 1024 * 1024]),
      batchIntervalMs: random.pick([1, 10, 50]),
      batchLimit: random.pick([50, 1000]),
      compactionBatchLimit: random.pick([20, 1000]),
      compactionSleepMs: 1,
      minLeaseTtl: 2,
    };
    const plan: KillPlan = {
      notes: this.#notes,
      watched: "/member/snap|/snapshots/",
      ...(aim && { aim }),
    };
    rmSync(this.#notes, { force: true });
    return StrataProcess.start(this.#dir, options, {
      preload: [compiled("kill-at")],
      env: { STRATA_KILL_AT: JSON.stringify(plan), STRATA_TELL_JOBS: "1" },
    });
  }

  get #notes(): string {
    return join(this.#folder, "notes");
  }

  async #ballast(member: RunningMember): Promise<void> {
    for (let i = 0; i < BALLAST_KEYS; i++) {
      const value = `${i}:`.padEnd(BALLAST_BYTES, "ballast ");
      const issued = this.#model.issue({ kind: "put", key: `ballast${i}`, value });
      this.#model.answered(issued, await member.act(issued.action));
    }
    await this.#look(member);
  }

  /** Works until it is dead, with what is acknowledged told to the model. */
  async #liveUntilKilled(): Promise<void> {
    const random = this.#random;
    const aim = random.bool() ? this.#aim() : undefined;
    let started: StrataProcess | undefined;
    try {
      started = await this.#start(aim);
      await this.#mustHoldAll(started);
      if (this.#model.revision < BALLAST_KEYS) await this.#ballast(started);
    } catch (error) {
      // The aim may be in the opening. Anything else says something.
      const isKilled = aim !== undefined && /gone: $/.test(String(error));
      await started?.end("kill");
      if (!isKilled) throw error;
      this.#killed(["opening"], aim);
      return;
    }
    await using killed = started;
    const model = this.#model;
    if (model.alarmed) {
      const disarm = model.issue({ kind: "disarm", member: model.memberId });
      model.answered(disarm, await killed.act(disarm.action));
    }
    let missed = false;
    let over = false;
    const moment = async (): Promise<void> => {
      const late = sleep(aim === undefined ? random.float() * RANDOM_MS : AIM_MS);
      await Promise.race([late, killed.gone]);
      missed = aim !== undefined && !over;
      over = true;
      await killed.end("kill");
    };
    const lanes = [this.#upkeep(killed), this.#upkeep(killed), this.#upkeep(killed)];
    void killed.gone.then(() => {
      over = true;
    });
    const actions = Number.POSITIVE_INFINITY;
    const compactUpTo = model.revision;
    const work = [this.#load.run(killed, { actions, concurrency: 8, compactUpTo }), ...lanes];
    await Promise.all([...work, moment()]);
    const complaints = killed.stderr.split("\n").filter((line) => !EXPECTED.test(line));
    if (complaints.length > 0) throw new Error(`it complained: ${complaints.join("; ")}`);
    if (missed) this.#report.missed++;
    this.#killed(killed.jobs, missed ? undefined : aim);
  }

  /** One lane of it, until the process is gone. */
  async #upkeep(member: StrataProcess): Promise<void> {
    const random = this.#random;
    const { upkeep } = this.#report;
    for (;;) {
      try {
        await sleep(random.int(15));
        if (random.bool(0.2)) {
          this.#hashes.push(await member.hash());
          continue;
        }
        const asked = this.#next();
        const { outcome, why } =
          asked.kind === "compact"
            ? await this.#compact(member, asked)
            : await member.maintain(asked);
        const said = outcome === "refused" ? `${outcome}: ${why}` : outcome;
        const what = `${asked.kind} ${said}`;
        upkeep[what] = (upkeep[what] ?? 0) + 1;
        if (asked.kind === "saveSnapshot" && outcome === "done") this.#saved.add(asked.path);
      } catch (error) {
        if (/gone/.test(String(error))) return;
        if (/compacted|CANCELED|was cancelled/.test(String(error))) continue;
        throw error;
      }
    }
  }

  /** @throws (rejects) Error if the process has gone; the model is told then, too */
  async #compact(member: StrataProcess, upkeep: Upkeep & { kind: "compact" }): Promise<Maintained> {
    const model = this.#model;
    const issued = model.issue(upkeep);
    try {
      const answer = await member.maintain(upkeep);
      const { outcome, why } = answer;
      model.answered(issued, outcome === "done" ? { kind: "done" } : { kind: "refused", why });
      return answer;
    } catch (error) {
      model.answered(issued, { kind: "lost" });
      throw error;
    }
  }

  #next(): Upkeep {
    const random = this.#random;
    const draw = random.float();
    if (draw < 0.5) return { kind: "defragment" };
    if (draw < 0.75) {
      // A name again now and then: it is replaced, or stays what it was.
      const name = `${random.bool(0.3) ? 0 : ++this.#nextSnapshot}.db`;
      return { kind: "saveSnapshot", path: join(this.#snapshots, name) };
    }
    if (draw < 0.9) {
      const { compacted, revision } = this.#model;
      const from = Math.max(compacted, 1);
      const at = Math.min(revision, from + 1 + random.int(300));
      return { kind: "compact", revision: at };
    }
    return { kind: "cancel", nth: random.int(5) };
  }

  #aim(): KillAim & Aim {
    const aim = this.#random.pick(AIMS);
    const nth = 1 + this.#random.int(aim.nthMax);
    return { ...aim, nth, when: this.#random.bool() ? "before" : "after" };
  }

  #killed(jobs: readonly string[], aim: (KillAim & Aim) | undefined): void {
    const where = aim === undefined ? placeOf(notesIn(this.#notes), jobs) : `aimed: ${aim.phase}`;
    const { phases } = this.#report;
    phases[where] = (phases[where] ?? 0) + 1;
    if (aim !== undefined) this.#report.aimed++;
    this.told.push(`${where} (${jobs.join()})`);
  }

  /** What it says of itself against the model, its history from where the model has come to. */
  async #look(member: RunningMember): Promise<void> {
    const model = this.#model;
    for (;;) {
      model.follow(await member.history(model.revision + 1));
      const state = await member.state();
      if (state.revision !== model.revision) continue; // A lease has run out meanwhile.
      model.check(state);
      const hash = await member.hash();
      if (hash.revision !== model.revision) continue;
      model.checkHash(hash);
      break;
    }
    const hashes = this.#hashes;
    this.#hashes = [];
    this.#report.hashes += hashes.length;
    for (const before of hashes) {
      model.checkOldHash(before);
      if (before.compacted !== model.compacted || before.revision <= model.compacted) continue;
      const { hash } = await member.hash(before.revision);
      if (hash !== before.hash) throw new Error(`HashKV of ${before.revision} is another now`);
    }
  }

  #countLitter(): void {
    if (!existsSync(this.#snapFolder)) return;
    const files = [...readdirSync(this.#snapFolder), ...readdirSync(this.#snapshots)];
    if (files.some(isLitter)) this.#report.litter++;
  }

  get #snapFolder(): string {
    return join(this.#dir, "member/snap");
  }

  /** What is there for a moment is a log's snapshot, being written. */
  async #mustHaveNoLitter(): Promise<void> {
    for (let looks = 1; ; looks++) {
      const files = readdirSync(this.#snapFolder);
      const litter = files.filter((name) => !/^(db|[0-9a-f-]+\.snap)$/.test(name));
      if (litter.length === 0) return;
      if (looks === LOOKS) throw new Error(`left after a start: ${litter.join(", ")}`);
      await sleep(LOOK_MS);
    }
  }

  /** Each that was answered is there, and whole; so is every other that has its name. */
  async #mustHaveSnapshots(): Promise<void> {
    const names = readdirSync(this.#snapshots);
    for (const path of this.#saved) {
      if (!existsSync(path)) throw new Error(`${path} was saved, and is not there`);
    }
    for (const name of names) {
      const path = join(this.#snapshots, name);
      if (name.endsWith(".part")) continue;
      this.#report.snapshots++;
      await readStatus({ path, liveKeys: false });
      const file = openPageFile(path, { readOnly: true });
      const { faults } = file.check();
      file.close();
      if (faults.length > 0) throw new Error(`${path}: ${faults[0]?.what}`);
      rmSync(path);
    }
    this.#saved = new Set();
  }

  #mustCheck(when: string, isJudged: boolean): void {
    const path = join(this.#snapFolder, "db");
    // Killed before anything was in it.
    if (!existsSync(path) || readFileSync(path).every((byte) => byte === 0)) return;
    const file = openPageFile(path, { readOnly: true });
    const { faults } = file.check();
    file.close();
    if (faults.length > 0) throw new Error(`${when}: ${faults[0]?.what}`);
    if (!isJudged) return;
    this.#report.judged++;
    const { errors } = judgeCheck(path);
    if (errors.length > 0) throw new Error(`${when}, bbolt says: ${errors[0]}`);
  }
}

function isLitter(name: string): boolean {
  return /^db\.tmp\.|\.part$|\.tmp$/.test(name);
}

function notesIn(path: string): KillNote[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line) => {
    const text = line.replaceAll("\0", "").trim();
    return text === "" ? [] : [JSON.parse(text) as KillNote];
  });
}

/** Of a kill at a random moment: the last step of a defragmentation is too short to be told of in time. */
function placeOf(notes: readonly KillNote[], jobs: readonly string[]): string {
  const defrag = jobs.find((job) => job.startsWith("defragmentation"));
  if (defrag === undefined) {
    const kinds = [...new Set(jobs.map((job) => job.split(" ", 1)[0] ?? ""))].sort();
    return `random: ${kinds.join(" + ") || "load only"}`;
  }
  const [last] = notes
    .filter(({ path }) => /db\.tmp\.\d|\(deleted\)|\/member\/snap$/.test(path))
    .sort((a, b) => b.atMs - a.atMs);
  const isSwapping = last?.operation === "renameSync" || /snap$|deleted/.test(last?.path ?? "");
  return `random: ${isSwapping ? "defragmentation swapping" : defrag}`;
}
