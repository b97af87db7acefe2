import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SystemFile } from "./file.ts";
import {
  FileLockError,
  type LockHolder,
  type LockKind,
  type LockOptions,
  type LockOutcome,
  lockFile,
  waitForLock,
} from "./file-lock.ts";

const SIDECAR: LockOptions = { program: "no-such-flock", fallback: "sidecar" };

let code = "";
let dir = "";
let path = "";
let children: ChildProcess[] = [];
let files: SystemFile[] = [];

/** Node 20 runs no TypeScript: the child gets this folder's modules, stripped of their types. */
beforeAll(() => {
  code = mkdtempSync(join(tmpdir(), "strata-lock-code-"));
  writeFileSync(join(code, "package.json"), '{"type":"module"}');
  const here = dirname(fileURLToPath(import.meta.url));
  for (const name of ["file", "file-lock", "lock-holders", "sidecar-lock"]) {
    const { outputText } = ts.transpileModule(readFileSync(join(here, `${name}.ts`), "utf8"), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    writeFileSync(join(code, `${name}.js`), outputText);
  }
  writeFileSync(
    join(code, "child.js"),
    `import { lockFile } from "./file-lock.js";
     import { SystemFile } from "./file.js";
     const { path, kind, options } = JSON.parse(process.argv[2]);
     const outcome = lockFile(new SystemFile(path, "write"), kind, options);
     console.log(JSON.stringify(outcome));
     process.stdin.on("data", (order) => {
       if (String(order) === "exit") process.exit(3);
       outcome.close();
       console.log("closed");
     });`,
  );
});
afterAll(() => rmSync(code, { recursive: true, force: true }));

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "strata-lock-"));
  path = join(dir, "db");
  new SystemFile(path, "create").close();
});
afterEach(async () => {
  for (const child of children) await end(child, "SIGKILL");
  for (const file of files) file.close();
  children = [];
  files = [];
  rmSync(dir, { recursive: true, force: true });
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

interface Other {
  readonly child: ChildProcess;
  readonly outcome: LockOutcome;
  /** Sends an order and waits for the answer. */
  ask(order: string): Promise<string>;
}

/** Another process that asks for the lock and, if it gets it, keeps it. */
async function other(kind: LockKind, options: LockOptions = {}): Promise<Other> {
  const child = spawn(
    process.execPath,
    [join(code, "child.js"), JSON.stringify({ path, kind, options })],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<string> => (await lines.next()).value ?? "";
  const outcome = JSON.parse(await answer()) as LockOutcome;
  const ask = (order: string): Promise<string> => {
    child.stdin.write(order);
    return answer();
  };
  return { child, outcome, ask };
}

function open(): SystemFile {
  const file = new SystemFile(path, "write");
  files.push(file);
  return file;
}

/** The independent judge: would a program that locks as bbolt does get the lock? */
function judge(kind: LockKind): "free" | "taken" {
  const { status } = spawnSync("flock", ["-n", kind === "shared" ? "-s" : "-x", path, "true"]);
  expect([0, 1]).toContain(status);
  return status === 0 ? "free" : "taken";
}

function take(kind: LockKind, options: LockOptions = {}): LockOutcome & { kind: "held" } {
  const outcome = lockFile(open(), kind, options);
  if (outcome.kind !== "held") throw new Error(`not held: ${JSON.stringify(outcome)}`);
  return outcome;
}

function named(outcome: LockOutcome): [number | undefined, LockKind][] {
  if (outcome.kind !== "busy") throw new Error(`not busy: ${JSON.stringify(outcome)}`);
  return outcome.holders.map(({ pid, kind }) => [pid, kind]);
}

describe.runIf(process.platform === "linux")("flock", () => {
  test("an exclusive lock keeps everyone out until the file is closed", () => {
    const lock = take("exclusive");
    expect(lock).toMatchObject({ by: "flock", lock: "exclusive", confirmed: true });
    expect([judge("exclusive"), judge("shared")]).toEqual(["taken", "taken"]);
    lock.close();
    expect(judge("exclusive")).toBe("free");
    lock.close();
    expect(readdirSync(dir)).toEqual(["db"]);
  });

  test("closing the file itself is as good", () => {
    const file = open();
    lockFile(file, "exclusive");
    expect(judge("shared")).toBe("taken");
    file.close();
    expect(judge("exclusive")).toBe("free");
  });

  test("shared locks go together and keep a writer out", async () => {
    const one = take("shared");
    const two = await other("shared");
    expect(two.outcome).toMatchObject({
      kind: "held",
      by: "flock",
      lock: "shared",
      confirmed: true,
    });
    expect([judge("shared"), judge("exclusive")]).toEqual(["free", "taken"]);
    const refused = lockFile(open(), "exclusive");
    expect(named(refused)).toEqual(
      [process.pid, two.child.pid ?? 0].sort((a, b) => a - b).map((pid) => [pid, "shared"]),
    );
    one.close();
    expect(judge("exclusive")).toBe("taken");
    expect(await two.ask("close")).toBe("closed");
    expect(judge("exclusive")).toBe("free");
  });

  test("a second process is refused and told who holds it", async () => {
    const lock = take("exclusive");
    for (const kind of ["exclusive", "shared"] as const) {
      const { outcome } = await other(kind);
      const command = readFileSync("/proc/self/comm", "utf8").trim();
      expect(outcome).toEqual({
        kind: "busy",
        holders: [{ pid: process.pid, command, kind: "exclusive" }],
      });
    }
    lock.close();
    expect((await other("exclusive")).outcome.kind).toBe("held");
  });

  test("two files of one process keep each other out", () => {
    const lock = take("exclusive");
    expect(named(lockFile(open(), "shared"))).toEqual([[process.pid, "exclusive"]]);
    lock.close();
  });

  test("whoever took it with the program itself is named, too", async () => {
    const holder = spawn("flock", ["-x", path, "sh", "-c", "echo go; exec sleep 60"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(holder);
    await once(holder.stdout, "data");
    const outcome = lockFile(open(), "exclusive");
    expect(named(outcome)).toContainEqual([holder.pid, "exclusive"]);
    // Its command inherited the descriptor, and goes on holding the lock when the first is gone.
    const heirs = named(outcome).filter(([pid]) => pid !== holder.pid);
    expect(heirs).toHaveLength(1);
    await end(holder, "SIGKILL");
    expect(named(lockFile(open(), "exclusive"))).toEqual(heirs);
    process.kill(heirs[0]?.[0] ?? 0, "SIGKILL");
    const freed = await waitForLock(open(), "exclusive", { timeoutMs: 5000 });
    expect(freed.kind).toBe("held");
  });

  test.each(["exit", "SIGTERM", "SIGKILL"] as const)(
    "a holder's end by %s frees it",
    async (how) => {
      const holder = await other("exclusive");
      expect(holder.outcome.kind).toBe("held");
      expect(named(lockFile(open(), "shared"))).toEqual([[holder.child.pid, "exclusive"]]);
      if (how === "exit") {
        const ended = once(holder.child, "exit");
        holder.child.stdin?.write("exit");
        expect((await ended)[0]).toBe(3);
      } else {
        await end(holder.child, how);
      }
      expect(judge("exclusive")).toBe("free");
      take("exclusive").close();
    },
  );

  test("a child that is started while we hold it does not inherit it", async () => {
    const lock = take("exclusive");
    const child = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "inherit"] });
    children.push(child);
    await once(child, "spawn");
    lock.close();
    expect(judge("exclusive")).toBe("free");
  });

  test("the lock is the file's, whatever it is called", () => {
    const lock = take("exclusive");
    renameSync(path, `${path}.old`);
    symlinkSync(`${path}.old`, path);
    expect(judge("shared")).toBe("taken");
    expect(named(lockFile(open(), "shared"))).toEqual([[process.pid, "exclusive"]]);
    lock.close();
  });

  test("a file without a name can be locked", () => {
    const file = open();
    rmSync(path);
    expect(lockFile(file, "exclusive").kind).toBe("held");
    file.close();
  });

  test("a file opened for reading takes either lock, as bbolt's read-only mode does", () => {
    for (const kind of ["shared", "exclusive"] as const) {
      const file = new SystemFile(path, "read");
      expect(lockFile(file, kind).kind).toBe("held");
      expect(judge("exclusive")).toBe("taken");
      file.close();
    }
  });
});

describe.runIf(process.platform === "linux")("waiting", () => {
  test("the lock comes as soon as the holder gives it up; onBusy is told once whom we wait for", async () => {
    const holder = await other("exclusive");
    const told: (readonly LockHolder[])[] = [];
    const waiting = waitForLock(open(), "exclusive", {
      intervalMs: 10,
      onBusy: (holders) => told.push(holders),
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await holder.ask("close");
    const outcome = await waiting;
    expect(outcome).toMatchObject({ kind: "held", by: "flock" });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject([{ pid: holder.child.pid, kind: "exclusive" }]);
    expect(judge("shared")).toBe("taken");
    if (outcome.kind === "held") outcome.close();
  });

  test("when the time is up it is busy, with the holders; 0 ms is one attempt", async () => {
    const lock = take("exclusive");
    const before = performance.now();
    const outcome = await waitForLock(open(), "shared", { timeoutMs: 120 });
    expect(performance.now() - before).toBeGreaterThanOrEqual(119);
    expect(named(outcome)).toEqual([[process.pid, "exclusive"]]);
    expect((await waitForLock(open(), "shared", { timeoutMs: 0 })).kind).toBe("busy");
    lock.close();
    expect((await waitForLock(open(), "shared", { timeoutMs: 0 })).kind).toBe("held");
  });

  test("an abort ends the wait with its reason, and takes no lock", async () => {
    const lock = take("exclusive");
    const stop = new AbortController();
    const waiting = waitForLock(open(), "exclusive", { signal: stop.signal });
    const reason = new Error("shutting down");
    setTimeout(() => stop.abort(reason), 20);
    await expect(waiting).rejects.toBe(reason);
    await expect(waitForLock(open(), "exclusive", { signal: stop.signal })).rejects.toBe(reason);
    lock.close();
    expect(judge("exclusive")).toBe("free");
  });
});

describe("without flock(2)", () => {
  test("unsupported says why and locks nothing, unless a sidecar is asked for", async () => {
    const outcome = lockFile(open(), "exclusive", { program: "no-such-flock" });
    expect(outcome).toEqual({
      kind: "unsupported",
      why: "cannot run the program no-such-flock: ENOENT",
    });
    expect(await waitForLock(open(), "shared", { program: "no-such-flock" })).toEqual(outcome);
    expect(readdirSync(dir)).toEqual(["db"]);
  });

  /** A stand-in for the program that says `complaint` and ends with `status`. */
  function programThat(complaint: string, status: number): string {
    const program = join(dir, "flock-that-fails");
    writeFileSync(
      program,
      `#!/bin/sh\n[ -z "${complaint}" ] || echo "${complaint}" >&2\nexit ${status}\n`,
    );
    chmodSync(program, 0o700);
    return program;
  }

  test.each([
    ["flock: 3: Function not implemented", 71],
    ["flock: 3: No locks available", 71],
    ["flock: Operation not supported", 1],
  ])("a file system without locks (%s) is unsupported", (complaint, status) => {
    const program = programThat(complaint, status);
    expect(lockFile(open(), "exclusive", { program })).toEqual({
      kind: "unsupported",
      why: complaint,
    });
    const lock = take("exclusive", { program, fallback: "sidecar" });
    expect(lock.by).toBe("sidecar");
    lock.close();
  });

  test("a program that fails in its own way is an error, not a free or a busy file", () => {
    const program = programThat("flock: bad usage", 64);
    expect(() => lockFile(open(), "exclusive", { program })).toThrow(FileLockError);
    expect(() => lockFile(open(), "exclusive", { program })).toThrow(
      /db: .*status 64: .*bad usage/,
    );
    const told = programThat("flock: Input/output error", 1);
    expect(() => lockFile(open(), "exclusive", { program: told })).toThrow(FileLockError);
    expect(lockFile(open(), "exclusive", { program: programThat("", 1) }).kind).toBe("busy");
  });
});

test.each([
  ["flock", {}, [1]],
  ["sidecars", SIDECAR, [0, 1]], // All may be refused, for they look at each other before they withdraw.
] as const)("of six who come at once, one gets it: %s", async (by, options, allowed) => {
  if (by === "flock" && process.platform !== "linux") return;
  const six = await Promise.all(Array.from({ length: 6 }, () => other("exclusive", options)));
  expect(allowed).toContain(six.filter(({ outcome }) => outcome.kind === "held").length);
  expect(six.filter(({ outcome }) => outcome.kind === "busy").length).toBeGreaterThanOrEqual(5);
});

describe("the sidecar", () => {
  test("excludes as flock does, names the holder, and is gone after close", async () => {
    const lock = take("exclusive", SIDECAR);
    expect(lock).toMatchObject({ by: "sidecar", lock: "exclusive", confirmed: false });
    const [claim = ""] = readdirSync(dir).filter((name) => name !== "db");
    expect(claim).toMatch(
      new RegExp(`^db\\.lock\\.exclusive\\.${process.pid}\\.\\d+\\.[0-9a-f]{8}\\.[0-9a-f]{8}$`),
    );
    for (const kind of ["exclusive", "shared"] as const) {
      const { outcome } = await other(kind, SIDECAR);
      expect(outcome).toMatchObject({
        kind: "busy",
        holders: [{ pid: process.pid, kind: "exclusive", sidecar: join(dir, claim) }],
      });
      expect(named(lockFile(open(), kind, SIDECAR))).toEqual([[process.pid, "exclusive"]]);
    }
    expect(readdirSync(dir)).toHaveLength(2);
    lock.close();
    lock.close();
    expect(readdirSync(dir)).toEqual(["db"]);
    expect((await other("exclusive", SIDECAR)).outcome.kind).toBe("held");
  });

  test("shared ones go together and keep a writer out", async () => {
    const one = take("shared", SIDECAR);
    const two = await other("shared", SIDECAR);
    expect(two.outcome).toMatchObject({ kind: "held", by: "sidecar" });
    expect(named(lockFile(open(), "exclusive", SIDECAR))).toHaveLength(2);
    one.close();
    expect(named(lockFile(open(), "exclusive", SIDECAR))).toEqual([[two.child.pid, "shared"]]);
    await two.ask("close");
    take("exclusive", SIDECAR).close();
  });

  test("a dead holder's claim is cleared away", async () => {
    const holder = await other("exclusive", SIDECAR);
    expect(named(lockFile(open(), "shared", SIDECAR))).toEqual([[holder.child.pid, "exclusive"]]);
    await end(holder.child, "SIGKILL");
    expect(readdirSync(dir)).toHaveLength(2);
    const lock = take("exclusive", SIDECAR);
    expect(readdirSync(dir)).toHaveLength(2);
    lock.close();
  });

  test.runIf(process.platform === "linux")(
    "a pid used again by another process is dead",
    async () => {
      const holder = await other("exclusive", SIDECAR);
      const [claim = ""] = readdirSync(dir).filter((name) => name !== "db");
      const [started = ""] = /(?<=exclusive\.\d+\.)\d+/.exec(claim) ?? [];
      renameSync(join(dir, claim), join(dir, claim.replace(started, `${Number(started) - 1}`)));
      take("exclusive", SIDECAR).close();
      expect(holder.child.exitCode).toBe(null);
    },
  );

  test("a claim from another host or pid namespace counts as alive, an unknown name as nothing", () => {
    writeFileSync(join(dir, "db.lock.exclusive.1.5.00000000.00000000"), "");
    writeFileSync(join(dir, "db.lock"), "");
    writeFileSync(join(dir, "db2.lock.exclusive.1.5.00000000.00000000"), "");
    expect(lockFile(open(), "shared", SIDECAR)).toEqual({
      kind: "busy",
      holders: [
        {
          pid: 1,
          command: undefined,
          kind: "exclusive",
          sidecar: join(dir, "db.lock.exclusive.1.5.00000000.00000000"),
        },
      ],
    });
    rmSync(join(dir, "db.lock.exclusive.1.5.00000000.00000000"));
    take("exclusive", SIDECAR).close();
  });

  test("a link to the file is the file", () => {
    const lock = take("exclusive", SIDECAR);
    mkdirSync(join(dir, "elsewhere"));
    const link = join(dir, "elsewhere", "link");
    symlinkSync(path, link);
    const linked = new SystemFile(link, "write");
    expect(lockFile(linked, "shared", SIDECAR).kind).toBe("busy");
    linked.close();
    lock.close();
  });

  test("a directory that cannot be written has no sidecar", () => {
    const file = open();
    rmSync(dir, { recursive: true });
    expect(lockFile(file, "shared", SIDECAR).kind).toBe("unsupported");
    file.close();
    mkdirSync(dir);
  });

  test.runIf(process.platform === "linux")(
    "it sees flock(2), and whoever comes with flock sees it",
    async () => {
      const real = take("exclusive");
      expect(named((await other("shared", SIDECAR)).outcome)).toEqual([[process.pid, "exclusive"]]);
      real.close();
      const weak = take("shared", SIDECAR);
      const sharing = await other("shared");
      expect(sharing.outcome.kind).toBe("held");
      await sharing.ask("close");
      const refused = await other("exclusive");
      expect(named(refused.outcome)).toEqual([[process.pid, "shared"]]);
      weak.close();
    },
  );

  test.runIf(process.platform === "linux")(
    "a lock refused for a sidecar's sake is not kept",
    () => {
      const weak = take("exclusive", SIDECAR);
      const file = open();
      expect(lockFile(file, "shared").kind).toBe("busy");
      expect(judge("exclusive")).toBe("free");
      file.close();
      weak.close();
    },
  );
});
