/**
 * Comes before a program, as `--import`, on each of its threads: notes the last operation on files that somebody wants
 * to know of, and kills the whole process in the middle of one that is asked for. What is noted survives the kill.
 *
 * Made plain JavaScript by `compiled`. See `maintenance-kills.ts`.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { threadId } from "node:worker_threads";

/** In the environment, as JSON, under `STRATA_KILL_AT`. */
export interface KillPlan {
  /** Where each thread notes what it does, in lines of its own. */
  readonly notes: string;
  /** Regular expression of the files' paths. */
  readonly watched: string;
  readonly aim?: KillAim | undefined;
}

export interface KillAim {
  /** Regular expression of a name in `node:fs`. */
  readonly operation: string;
  /** Regular expression of the path, of a file or directory; of a rename both: `<from> > <to>`. */
  readonly path: string;
  /** Counted from 1, on each thread. */
  readonly nth: number;
  readonly when: "before" | "after";
}

export interface KillNote {
  readonly operation: string;
  readonly path: string;
  readonly when: "before" | "after";
  readonly atMs: number;
}

export const NOTE_BYTES = 1024;

/** What changes a disk; by descriptor or by path. */
const BY_DESCRIPTOR = ["writeSync", "writevSync", "fdatasyncSync", "fsyncSync", "ftruncateSync"];
const BY_PATH = ["renameSync", "unlinkSync"];

type Work = (...args: unknown[]) => unknown;

function watch({ notes, watched, aim }: KillPlan): void {
  const noted = fs.openSync(notes, "a+");
  // Not appended: each thread has its own place.
  const place = fs.openSync(notes, "r+");
  fs.closeSync(noted);
  const { writeSync, readlinkSync } = fs;
  const isWatched = new RegExp(watched);
  const isAimed = new RegExp(aim?.path ?? "$^");
  const isOperation = new RegExp(`^(?:${aim?.operation})$`);
  let seen = 0;

  const pathOf = (first: unknown, second: unknown): string => {
    if (typeof first === "string")
      return typeof second === "string" ? `${first} > ${second}` : first;
    try {
      return readlinkSync(`/proc/self/fd/${String(first)}`);
    } catch {
      return "";
    }
  };
  const note = (what: KillNote): void => {
    const line = Buffer.from(
      JSON.stringify(what)
        .padEnd(NOTE_BYTES - 1)
        .slice(0, NOTE_BYTES - 1),
    );
    writeSync(
      place,
      Buffer.concat([line, Buffer.from("\n")]),
      0,
      NOTE_BYTES,
      threadId * NOTE_BYTES,
    );
  };

  for (const operation of [...BY_DESCRIPTOR, ...BY_PATH]) {
    const work = Reflect.get(fs, operation) as Work;
    const isByPath = BY_PATH.includes(operation);
    const watchedWork: Work = (...args) => {
      const path = pathOf(args[0], isByPath ? args[1] : undefined);
      if (!isWatched.test(path)) return work(...args);
      const isMatch = isOperation.test(operation) && isAimed.test(path);
      const hit = isMatch && ++seen === aim?.nth;
      const at = (when: "before" | "after"): void => {
        note({ operation, path, when, atMs: Date.now() });
        if (hit && aim?.when === when) process.kill(process.pid, "SIGKILL");
      };
      at("before");
      const result = work(...args);
      at("after");
      return result;
    };
    Reflect.set(fs, operation, watchedWork);
  }
  syncBuiltinESMExports();
}

const plan = process.env.STRATA_KILL_AT;
if (plan !== undefined) watch(JSON.parse(plan) as KillPlan);
