/**
 * The judge from TypeScript: real bbolt (test/judge, in Go), and the independent reader (test/judge/decode.py).
 * Tests that call this stand under `describeWithPeers(name, ["go-bbolt"], …)`, or "python3" for `decode`.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cleanUpAtEnd } from "./cleanup.ts";
import { GO_SOURCES, peer, peerPath } from "./peers.ts";

const SOURCES = join(projectFolder(), "test/judge");

/** Far above any answer of the judge; the default of 1 MiB is not. */
const MAX_OUTPUT_BYTES = 2 ** 30;

/** Bucket names from the outermost in, keys and values: all hex. */
export type HexPath = readonly string[];

export interface Verdict {
  readonly ok: boolean;
  /** Why not. A panic of bbolt is one error that starts with "crash: ". */
  readonly errors: readonly string[];
}

export interface BucketContent {
  readonly path: HexPath;
  /** An unsigned 64-bit number in decimal. */
  readonly sequence: string;
  /** Keys that are not buckets, in order. */
  readonly keys: readonly (readonly [key: string, value: string])[];
}

export interface BucketDigest {
  readonly path: HexPath;
  readonly sequence: string;
  /** Number of keys that are not buckets. */
  readonly keys: number;
  /** SHA-256, hex, over (u32be key length, key, u32be value length, value) of each of them in order. */
  readonly digest: string;
}

export type Operation =
  | { readonly op: "begin" | "commit" | "rollback" }
  | {
      readonly op: "createBucket" | "deleteBucket" | "nextSequence";
      readonly path: HexPath;
    }
  | { readonly op: "setSequence"; readonly path: HexPath; readonly sequence: string }
  | { readonly op: "put"; readonly path: HexPath; readonly key: string; readonly value: string }
  | { readonly op: "delete"; readonly path: HexPath; readonly key: string };

export interface ApplyOptions {
  /** Bytes, for a new file. Default: the system's page size. */
  readonly pageSize?: number;
  readonly noFreelistSync?: boolean;
  /** Default: array, bbolt's own. etcd has hashmap. */
  readonly freelistType?: "array" | "hashmap";
  /** Of every bucket, 0.1 to 1. Default: 0.5. */
  readonly fillPercent?: number;
  readonly noSync?: boolean;
  /** Answer an operation that fails with its error and carry on, instead of throwing. */
  readonly keepGoing?: boolean;
}

export interface Applied {
  /** bbolt's own words, with `keepGoing`. */
  readonly error?: string;
  /** The answer of nextSequence. */
  readonly sequence?: string;
}

/**
 * The judge's program, built at most once for each state of its sources and each version of Go.
 * @throws Error with the compiler's words
 */
export function judgeProgram(): string {
  const go = peerPath("go-bbolt");
  const names = readdirSync(SOURCES).filter((name) => name.endsWith(".go"));
  const hash = createHash("sha256").update(JSON.stringify(peer("go-bbolt")));
  for (const name of names.sort())
    hash.update(`\0${name}\0`).update(readFileSync(join(SOURCES, name)));
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `strata-judge-${uid}-${hash.digest("hex").slice(0, 16)}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The name can be guessed, and what is in there will be run.
  if (statSync(folder).uid !== uid) throw new Error(`${folder} belongs to somebody else`);
  const program = join(folder, "judge");
  if (existsSync(program)) return program;
  // Test workers may build at the same time: each its own file, and the last rename wins.
  const mine = join(folder, `judge.${process.pid}`);
  const built = spawnSync(go, ["build", "-trimpath", "-o", mine, "."], {
    cwd: SOURCES,
    encoding: "utf8",
    env: {
      ...process.env,
      // Debian ships sources in GOPATH's layout, and no modules; nothing is to be downloaded for them.
      GO111MODULE: "off",
      GOPATH: GO_SOURCES,
      GOPROXY: "off",
      GOTOOLCHAIN: "local",
      // The user's own settings are for the user's own programs, and a C compiler is not a peer.
      GOENV: "off",
      GOFLAGS: "",
      CGO_ENABLED: "0",
    },
  });
  if (built.status !== 0)
    throw new Error(`the judge does not build: ${built.error ?? built.stderr}`);
  renameSync(mine, program);
  return program;
}

/** Runs Tx.Check, then walks every bucket: keys ascend and a search finds each of them. */
export function judgeCheck(file: string): Verdict {
  const ran = run(["check", file]);
  if (ran.status === 0 || ran.status === 1) return JSON.parse(ran.stdout) as Verdict;
  const said = ran.stderr
    .split("\n")
    .filter((line) => /^(panic|fatal|unexpected|runtime)/.test(line));
  return { ok: false, errors: [`crash: ${said.join("; ") || ran.signal || ran.status}`] };
}

/** Every bucket and key, buckets before what is in them, both in key order. */
export function judgeDump(file: string): BucketContent[] {
  type Line = { path: string[]; sequence?: string; key?: string; value?: string };
  const buckets = new Map<string, BucketContent & { keys: [string, string][] }>();
  for (const { path, sequence, key, value } of answers(["dump", file]) as Line[]) {
    const name = path.join("/");
    if (sequence !== undefined) buckets.set(name, { path, sequence, keys: [] });
    if (key !== undefined && value !== undefined) buckets.get(name)?.keys.push([key, value]);
  }
  return [...buckets.values()];
}

/** Counts and digests of every bucket, for files too big to compare key by key. */
export function judgeDigest(file: string): BucketDigest[] {
  return answers(["dump", "--digest", file]) as BucketDigest[];
}

/**
 * Runs the operations on the file with real bbolt, which makes it if there is none.
 * @returns one answer for each operation
 * @throws Error at the first operation that fails (unless `keepGoing`), or if a transaction is left open
 */
export function judgeApply(
  file: string,
  operations: Iterable<Operation>,
  options: ApplyOptions = {},
): Applied[] {
  const args = ["apply"];
  if (options.pageSize !== undefined) args.push(`--page-size=${options.pageSize}`);
  if (options.noFreelistSync) args.push("--no-freelist-sync");
  if (options.freelistType !== undefined) args.push(`--freelist-type=${options.freelistType}`);
  if (options.fillPercent !== undefined) args.push(`--fill-percent=${options.fillPercent}`);
  if (options.noSync) args.push("--no-sync");
  if (options.keepGoing) args.push("--keep-going");
  const script = Array.from(operations, (operation) => JSON.stringify(operation)).join("\n");
  return answers([...args, file, "-"], script) as Applied[];
}

export interface CompactOptions {
  /** Bytes per transaction, 0 for one transaction. Default: 65536. */
  readonly txMaxSize?: number;
  /** Sync once, at the end. */
  readonly noSync?: boolean;
}

function compactArgs(options: CompactOptions): string[] {
  const size = options.txMaxSize === undefined ? [] : [`--tx-max-size=${options.txMaxSize}`];
  return options.noSync ? [...size, "--no-sync"] : size;
}

/** `bbolt compact`. Returns the lengths of both files in bytes. */
export function judgeCompact(
  source: string,
  target: string,
  options: CompactOptions = {},
): { readonly sourceBytes: number; readonly targetBytes: number } {
  const [sizes] = answers(["compact", ...compactArgs(options), source, target]);
  return sizes as { sourceBytes: number; targetBytes: number };
}

export interface Held {
  readonly pid: number;
  /** Back when the holder has gone and the lock with it. */
  release(): Promise<void>;
}

/**
 * Has real bbolt hold its lock on the file: exclusive, or a reader's with `shared`.
 * @throws Error "timeout" after two seconds if somebody else holds it
 */
export async function judgeHold(
  file: string,
  options: { readonly shared?: boolean } = {},
): Promise<Held> {
  const args = options.shared ? ["hold", "--shared", file] : ["hold", file];
  const child = spawn(judgeProgram(), args, { stdio: ["pipe", "pipe", "inherit"] });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const kill = cleanUpAtEnd(() => child.kill("SIGKILL"));
  let said = "";
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("\n")) resolve();
    });
    child.once("error", (error) => {
      said += error.message;
      resolve();
    });
    child.once("close", () => resolve());
  });
  if (said !== "held\n" || child.pid === undefined) {
    kill();
    throw new Error(`the judge cannot hold ${file}: ${said}`);
  }
  return {
    pid: child.pid,
    release: async () => {
      child.stdin.end();
      await gone;
      kill();
    },
  };
}

/** Benchmarks run from the build, where Go's sources are not. */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
    folder = above;
  }
  return folder;
}

/** What test/judge/bench.go can time; the workload is described there, and mirrored in `workload.ts`. */
export type Bench =
  | {
      readonly mode: "fill";
      readonly file: string;
      readonly n: number;
      readonly txSize: number;
      readonly valueBytes?: number;
      readonly fillPercent?: number;
    }
  | {
      readonly mode: "random";
      readonly file: string;
      readonly n: number;
      readonly txSize: number;
      readonly keySpace: number;
      readonly seed: number;
      readonly valueBytes?: number;
      readonly fillPercent?: number;
    }
  | {
      readonly mode: "get";
      readonly file: string;
      readonly n: number;
      readonly keySpace: number;
      readonly seed: number;
      /** A read transaction for each get, instead of one for all. */
      readonly each?: boolean;
      /** The same gets once before the clock starts. */
      readonly warm?: boolean;
    }
  | { readonly mode: "scan" | "open"; readonly file: string }
  | {
      /** Durable puts of text keys, each one's own transaction, or one `Batch` for all that wait. */
      readonly mode: "put";
      readonly file: string;
      readonly n: number;
      readonly callers: number;
      /** Puts before the clock starts. */
      readonly warmPuts: number;
      readonly valueBytes: number;
    }
  | {
      /** Text keys in order, as fast as it goes. */
      readonly mode: "load";
      readonly file: string;
      readonly n: number;
      readonly txSize: number;
      readonly valueBytes: number;
    }
  | {
      /** Gets of `hot` of the text keys, which lie evenly among `keySpace`. */
      readonly mode: "read";
      readonly file: string;
      readonly n: number;
      readonly hot: number;
      readonly keySpace: number;
      readonly seed: number;
      readonly each?: boolean;
      readonly warm?: boolean;
    }
  | ({ readonly mode: "compact"; readonly file: string; readonly target: string } & CompactOptions);

export interface Measured {
  readonly ops: number;
  readonly seconds: number;
  /** Of what was read or written, to compare with strata's: see test/judge/bench.go. */
  readonly digest: string;
  /** Of all threads, the kernel's work for them included; the disk's time is not in it. */
  readonly cpuSeconds: number;
  /** The most memory that the process had at once until the work was done, what it maps of the file included. */
  readonly peakRssBytes: number;
  /** Of one operation, where each is timed. */
  readonly p50Us?: number;
  readonly p99Us?: number;
}

/** The peer's side of a benchmark, in a process of its own that times only the work. */
export function judgeBench(bench: Bench): Measured {
  const args = ["bench", bench.mode];
  if ("n" in bench) args.push(`--n=${bench.n}`);
  if ("txSize" in bench) args.push(`--tx-size=${bench.txSize}`);
  if ("seed" in bench) args.push(`--seed=${bench.seed}`, `--key-space=${bench.keySpace}`);
  if ("valueBytes" in bench) args.push(`--value-bytes=${bench.valueBytes}`);
  if ("fillPercent" in bench) args.push(`--fill-percent=${bench.fillPercent}`);
  if ("callers" in bench) {
    args.push(`--callers=${bench.callers}`, `--warm-puts=${bench.warmPuts}`);
  }
  if ("hot" in bench) args.push(`--hot=${bench.hot}`);
  if ("each" in bench && bench.each) args.push("--each");
  if ("warm" in bench && bench.warm) args.push("--warm");
  if (bench.mode === "compact") args.push(...compactArgs(bench));
  args.push(bench.file);
  if (bench.mode === "compact") args.push(bench.target);
  const [measured] = answers(args);
  return measured as Measured;
}

/** What the independent reader prints. @throws Error if it exits with anything but 0 */
export function decode(
  command: "db" | "check" | "status" | "hash" | "hashkv" | "wal" | "snap" | "ids",
  ...args: readonly string[]
): string {
  const reader = join(SOURCES, "decode.py");
  const ran = spawnSync(peerPath("python3"), [reader, command, ...args], {
    encoding: "utf8",
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (ran.status !== 0) throw new Error(`decode.py ${command}: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}

function run(args: readonly string[], input = ""): SpawnSyncReturns<string> {
  const ran = spawnSync(judgeProgram(), args, {
    encoding: "utf8",
    input,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  if (ran.error !== undefined) throw ran.error;
  return ran;
}

/** The lines of an answer. @throws Error with the judge's words if it did not exit with 0 */
function answers(args: readonly string[], input = ""): unknown[] {
  const ran = run(args, input);
  const lines = ran.stdout.split("\n").filter((line) => line !== "");
  if (ran.status === 0) return lines.map((line) => JSON.parse(line) as unknown);
  const last = lines.at(-1) ?? ran.stderr.split("\n", 1)[0] ?? "";
  const { error } = last.startsWith("{")
    ? (JSON.parse(last) as { error?: string })
    : { error: last };
  throw new Error(`judge ${args.join(" ")}: ${error ?? last}`);
}
