/**
 * Kills a process that has a store, at random moments of its load, its opening and its recovery, and looks at what it
 * left: see `StoreWitness`, and both checks of the page file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Strata, type StrataOptions } from "../../src/index.ts";
import { openPageFile } from "../../src/pagefile/open.ts";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import { compiled } from "./compiled.ts";
import { judgeCheck } from "./judge.ts";
import { type Rng, rng } from "./rng.ts";
import type { StoreJob } from "./store-child.ts";
import { type Ack, OpSource, type StoreOp } from "./store-ops.ts";
import { StoreWitness } from "./store-witness.ts";

export interface StoreKills {
  readonly rounds: number;
  readonly seed: number;
  /** Have real bbolt look at every so many files. Default: none. */
  readonly judgeEvery?: number;
}

/** What the rounds came to. */
export interface StoreKillReport {
  seed: number;
  /** Killed while it opened, under load, or when all was done; or stopped in peace. */
  opening: number;
  load: number;
  done: number;
  stopped: number;
  /** Killed once more while it recovered, before anyone looked. */
  recovering: number;
  acknowledged: number;
  /** Under way when the kill came, and there. */
  phantoms: number;
  folders: number;
  /** By all folders together. */
  revisions: number;
  segmentsCut: number;
  segmentsReleased: number;
  snapFiles: number;
  logRepairs: number;
  judged: number;
}

/** Small, so that everything that happens once an hour happens in every round. */
export const SMALL: StrataOptions = {
  segmentBytes: 200_000,
  writeBesideBytes: 8192,
  snapshotCount: 500,
  batchIntervalMs: 20,
  batchLimit: 400,
  compactionBatchLimit: 200,
  compactionSleepMs: 1,
  leaseCheckpointIntervalMs: 2000,
};

const SCRIPT_OPS = 5000;
const LANES = 16;
const ROUNDS_PER_FOLDER = 12;
const SHAPE = { keys: 300, valueBytesMax: 3000, compactBack: 1500, compactEvery: 400 };

/** @throws Error naming seed and round at the first thing that is not as it must be */
export async function killStores(kills: StoreKills): Promise<StoreKillReport> {
  const { rounds, seed, judgeEvery = 0 } = kills;
  const program = storeChild();
  const scratch = scratchFolder("store-kills");
  const random = rng(seed);
  const report: StoreKillReport = {
    seed,
    opening: 0,
    load: 0,
    done: 0,
    stopped: 0,
    recovering: 0,
    acknowledged: 0,
    phantoms: 0,
    folders: 0,
    revisions: 0,
    segmentsCut: 0,
    segmentsReleased: 0,
    snapFiles: 0,
    logRepairs: 0,
    judged: 0,
  };
  let life: Life | undefined;
  for (let round = 1; round <= rounds; round++) {
    if (life === undefined || round % ROUNDS_PER_FOLDER === 0) {
      life?.leave();
      const dir = join(scratch, String(++report.folders));
      life = new Life(program, dir, rng(seed * 1000 + round), report);
    }
    try {
      await life.round(random, judgeEvery > 0 && round % judgeEvery === 0);
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`seed ${seed}, round ${round}: ${message}`, { cause: error });
    }
  }
  life?.leave();
  return report;
}

export function storeChild(): string {
  return compiled("store-child", "store-ops");
}

/** A data dir over many lives of its process. */
class Life {
  readonly #program: string;
  readonly #dir: string;
  readonly #chance: Rng;
  readonly #report: StoreKillReport;
  readonly #witness = new StoreWitness();
  #nextId = 1;
  #openingMs = 100;
  #revision = 0;

  constructor(program: string, dir: string, chance: Rng, report: StoreKillReport) {
    this.#program = program;
    this.#dir = dir;
    this.#chance = chance;
    this.#report = report;
  }

  async round(random: Rng, judged: boolean): Promise<void> {
    const report = this.#report;
    const dice = random.float();
    await this.#live(dice < 0.25 ? "opening" : "load", dice > 0.9 ? "SIGTERM" : "SIGKILL", random);
    while (random.bool(0.3)) {
      report.recovering++;
      await this.#live("opening", "SIGKILL", random, []);
    }
    this.#mustCheck("as it was left");
    if (judged) this.#judge();
    const store = await Strata.open(
      { dir: this.#dir },
      {
        ...SMALL,
        log: ({ level, message }) => {
          if (message.includes("was repaired")) report.logRepairs++;
          else if (level !== "info") throw new Error(`the store says: ${message}`);
        },
      },
    );
    try {
      const { phantoms, revision } = await this.#witness.mustHold(store);
      report.phantoms += phantoms;
      this.#revision = revision;
    } finally {
      if (random.bool()) await store.close();
      else await store.member.abandon();
    }
    this.#mustCheck("after it was opened again");
    if (judged) this.#judge();
  }

  /** Counts what there was, and removes it. */
  leave(): void {
    const report = this.#report;
    report.revisions += this.#revision;
    report.acknowledged += this.#witness.acks;
    const segments = this.#list("wal").filter((name) => name.endsWith(".wal"));
    report.segmentsCut += Number.parseInt(segments.at(-1)?.slice(0, 16) ?? "0", 16);
    report.segmentsReleased += Number.parseInt(segments[0]?.slice(0, 16) ?? "0", 16);
    report.snapFiles += this.#list("snap").filter((name) => name.endsWith(".snap")).length;
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** One process, from its start to its end. */
  async #live(
    until: "opening" | "load",
    signal: "SIGKILL" | "SIGTERM",
    random: Rng,
    script: readonly StoreOp[] = this.#script(),
  ): Promise<void> {
    const report = this.#report;
    const answers = `${this.#dir}.answers`;
    rmSync(answers, { force: true });
    const child = new StoreProcess(this.#program, {
      dir: this.#dir,
      options: SMALL,
      script,
      lanes: LANES,
      answers,
    });
    await child.says("opening");
    const startedMs = performance.now();
    if (until === "opening") {
      await sleep(random.float() * this.#openingMs * 1.1);
    } else {
      await child.says("open");
      this.#openingMs = performance.now() - startedMs;
      await sleep(random.float() * 700);
    }
    const reached = child.lastSaid;
    const end = await child.end(signal);
    if (signal === "SIGTERM") {
      if (end !== 0) throw new Error(`a store that was told to stop ended with ${end}`);
      report.stopped++;
    } else if (end !== "SIGKILL") throw new Error(`ended with ${end} before it was killed`);
    else if (script.length > 0) {
      report[reached === "opening" ? "opening" : reached === "done" ? "done" : "load"]++;
    }
    for (const answer of answersIn(answers)) {
      if ("refused" in answer) this.#witness.refused(answer.id);
      else this.#witness.acknowledged(answer);
    }
  }

  #script(): StoreOp[] {
    const source = new OpSource(this.#chance, SHAPE, this.#nextId);
    const script = Array.from({ length: SCRIPT_OPS }, () => source.next());
    this.#nextId += SCRIPT_OPS;
    for (const op of script) this.#witness.asked(op);
    return script;
  }

  #list(folder: string): string[] {
    const path = join(this.#dir, "member", folder);
    return existsSync(path) ? readdirSync(path).sort() : [];
  }

  #database(): string | undefined {
    return this.#list("snap").includes("db") ? join(this.#dir, "member/snap/db") : undefined;
  }

  #mustCheck(when: string): void {
    const path = this.#database();
    // A process that was killed before anything was in it.
    if (path === undefined || readFileSync(path).every((byte) => byte === 0)) return;
    const file = openPageFile(path, { readOnly: true });
    const { faults } = file.check();
    file.close();
    if (faults.length > 0) throw new Error(`${when}: ${faults[0]?.what}`);
  }

  #judge(): void {
    const path = this.#database();
    if (path === undefined) return;
    this.#report.judged++;
    const { errors } = judgeCheck(path);
    if (errors.length > 0) throw new Error(`bbolt says: ${errors[0]}`);
  }
}

export type Answer = (Ack & { readonly atMs: number }) | { readonly id: number; refused: true };

/** Whole lines only: the last one may be cut short. */
export function answersIn(path: string): Answer[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Answer);
}

const SAID = ["opening", "open", "done", "closed"];

export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #said: string[] = [];
  #errors = "";
  #heard: (() => void)[] = [];

  constructor(program: string, job: StoreJob) {
    const path = `${job.dir}.job.json`;
    writeFileSync(path, JSON.stringify(job));
    this.#child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "pipe"] });
    const forget = cleanUpAtEnd(() => this.#child.kill("SIGKILL"));
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#said.push(...text.split("\n").filter((line) => SAID.includes(line)));
      this.#wake();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.#gone = new Promise((resolve) => {
      this.#child.once("close", () => {
        forget();
        this.#wake();
        resolve();
      });
    });
  }

  get lastSaid(): string | undefined {
    return this.#said.at(-1);
  }

  /** @throws Error if it ends before, with what it said on stderr */
  async says(word: string): Promise<void> {
    while (!this.#said.includes(word)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`the process ended by itself: ${this.#errors}`);
      }
      await new Promise<void>((resolve) => this.#heard.push(resolve));
    }
  }

  /** @returns how it ended. @throws Error if it complained */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | string | null> {
    this.#child.kill(signal);
    await this.#gone;
    if (this.#errors !== "") throw new Error(`the process complained: ${this.#errors}`);
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  #wake(): void {
    const heard = this.#heard;
    this.#heard = [];
    for (const resolve of heard) resolve();
  }
}
