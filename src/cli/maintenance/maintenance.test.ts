import { describe, expect, test } from "vitest";
import { FakeTransport, type RunOptions, strata } from "../../../test/support/fake-transport.ts";
import { RpcError } from "../../client/status.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import type { Partially } from "../../proto/tables/message-table.ts";
import { type Job, STRATA_METHODS } from "../../proto/tables/strata.ts";

const HEADER = { clusterId: 3n, memberId: 4n, revision: 7n, raftTerm: 2n };
const HEADER_JSON = '"header":{"cluster_id":3,"member_id":4,"revision":7,"raft_term":2}';

const COPYING: Partially<Job> = {
  id: 2n,
  kind: "defragmentation",
  about: "dbSizeFree > 200MiB",
  unit: "bytes",
  progress: {
    phase: "copying",
    done: 340_000_000n,
    total: 1_000_000_000n,
    rate: 120_000_000n,
    etaMs: 5_500n,
  },
  startedMs: 1_700_000_000_000n,
  runningMs: 2_900n,
  canBeCancelled: true,
};
const COMPACTING: Partially<Job> = {
  id: 10n,
  kind: "compaction",
  about: "revision 7",
  unit: "records",
  progress: { done: 12n },
  runningMs: 40n,
};
const FAILED: Partially<Job> = {
  id: 1n,
  kind: "snapshot-save",
  about: "/backup/\u001b[31mx.db",
  unit: "bytes",
  progress: { phase: "saving", done: 1n, total: 4n, rate: 1n, etaMs: 3n },
  runningMs: 61_000n,
  outcome: "failed",
  reason: "no space left on device",
};

describe("jobs", () => {
  const server = (jobs: readonly Partially<Job>[]): FakeTransport =>
    new FakeTransport().on(STRATA_METHODS.jobs, { header: HEADER, jobs });

  test("are shown in columns", async () => {
    const { code, out } = await strata(server([COPYING, COMPACTING]), ["jobs"]);
    expect([code, out]).toEqual([
      0,
      "ID  KIND             STATE    PHASE    DONE                     RATE      ETA    RUNNING  ABOUT\n" +
        "2   defragmentation  running  copying  340 MB of 1.0 GB (34 %)  120 MB/s  5.5 s  2.9 s    dbSizeFree > 200MiB\n" +
        "10  compaction       running  -        12                       -         -      40 ms    revision 7\n",
    ]);
  });

  test("that are over say how they ended; what a path holds is no command to the terminal", async () => {
    const transport = server([FAILED, { ...COMPACTING, stopping: true }]);
    const { out } = await strata(transport, ["jobs", "--all"]);
    expect(transport.requests).toEqual([{ all: true }]);
    expect(out.split("\n").slice(1)).toEqual([
      "1   snapshot-save  failed    -      1 B of 4 B (25 %)  -     -    1 min 1 s  /backup/?[31mx.db: no space left on device",
      "10  compaction     stopping  -      12                 -     -    40 ms      revision 7",
      "",
    ]);
  });

  test("are all there in json, and in etcd's table", async () => {
    const json = await strata(server([COMPACTING]), ["jobs", "-w", "json"]);
    expect(json.out).toBe(
      `{${HEADER_JSON},"jobs":[{"id":10,"kind":"compaction","about":"revision 7","unit":"records","progress":{"done":12},"running_ms":40}]}\n`,
    );
    const table = await strata(server([COMPACTING]), ["jobs", "-w", "table"]);
    expect(table.out).toContain("| 10 | compaction | running |     - |   12 |");
    const { code, err } = await strata(server([]), ["jobs", "-w", "fields"]);
    expect([code, err]).toEqual([4, "Error: fields not supported as output format\n"]);
  });

  test("none is said", async () => {
    expect((await strata(server([]), ["jobs"])).out).toBe("No job is running.\n");
    expect((await strata(server([]), ["jobs", "--all"])).out).toBe("No job has run.\n");
  });

  const watched = async (options: RunOptions, args: readonly string[] = []) => {
    let asked = 0;
    const transport = new FakeTransport();
    return await strata(transport, ["jobs", "--watch", "--interval=1ms", ...args], {
      ...options,
      began: (io) => {
        transport.on(STRATA_METHODS.jobs, () => {
          if (++asked === 3) io.send("SIGINT");
          return { header: HEADER, jobs: [] };
        });
      },
    });
  };

  test("are watched until a signal comes: in one place on a terminal, else one after another", async () => {
    const nothing = "No job is running.\n";
    expect(await watched({})).toMatchObject({ code: 130, out: nothing.repeat(3), err: "" });
    const drawn = await watched({ stdoutIsTerminal: true });
    expect(drawn).toMatchObject({ code: 130, out: `\x1b[H\x1b[J${nothing}`.repeat(3) });
    const json = await watched({ stdoutIsTerminal: true }, ["-w", "json"]);
    expect(json.out).toBe(`{${HEADER_JSON}}\n`.repeat(3));
  });

  test("one is cancelled by its id", async () => {
    const transport = new FakeTransport().on(STRATA_METHODS.cancelJob, ({ id }) =>
      id === 3n ? { header: HEADER } : new RpcError(5, `no job ${id} is running`),
    );
    const cancelled = await strata(transport, ["jobs", "cancel", "3"]);
    expect(cancelled).toMatchObject({ code: 0, out: "Job 3 was told to stop\n" });
    const json = await strata(transport, ["jobs", "cancel", "3", "-w", "json"]);
    expect(json.out).toBe(`{${HEADER_JSON}}\n`);
    const unknown = await strata(transport, ["jobs", "cancel", "4"]);
    expect(unknown).toMatchObject({ code: 1, out: "", err: "Error: no job 4 is running\n" });
  });
});

const REPORT = {
  outcome: "done",
  sizeBeforeBytes: 1_000_000_000n,
  sizeAfterBytes: 240_000_000n,
  tookMs: 5_100n,
  longestPauseMs: 34n,
  rounds: 3n,
};
const PROGRESS = { phase: "copying", done: 1n, total: 4n, rate: 2n, etaMs: 0n };

describe("defrag", () => {
  const server = (...answers: readonly object[]): FakeTransport =>
    new FakeTransport().onStream(STRATA_METHODS.defragment, async function* (requests) {
      for await (const _ of requests) yield* answers;
    });

  test("reports sizes, duration and the longest pause", async () => {
    const transport = server({ progress: PROGRESS }, { header: HEADER, report: REPORT });
    const { code, out, err } = await strata(transport, ["defrag", "--force", "--rate=50"]);
    expect([code, out, err]).toEqual([
      0,
      "Finished defragmenting member[127.0.0.1:2379]: 1.0 GB -> 240 MB, 5.1 s in 3 rounds, longest pause of commits 34 ms\n",
      "",
    ]);
    expect(transport.calls).toMatchObject([
      { request: { force: true, rateBytesPerSecond: 50n * 2n ** 20n }, settings: {} },
    ]);
  });

  test("tells its progress to programs, and the report in json", async () => {
    const transport = server({ progress: PROGRESS }, { report: REPORT });
    const args = ["defrag", "--progress=json", "-w", "json", "--command-timeout=1m"];
    const { out, err } = await strata(transport, args);
    expect(err).toBe('{"phase":"copying","done":1,"total":4,"rate":2}\n');
    expect(JSON.parse(out)).toEqual({
      outcome: "done",
      size_before_bytes: 1_000_000_000,
      size_after_bytes: 240_000_000,
      took_ms: 5100,
      longest_pause_ms: 34,
      rounds: 3,
    });
  });

  test("that was refused is no failure", async () => {
    const report = { outcome: "refused", reason: "there is nothing to gain", sizeBeforeBytes: 5n };
    const { code, out } = await strata(server({ report }), ["defrag"]);
    expect([code, out]).toEqual([
      0,
      "Did not defragment member[127.0.0.1:2379]: there is nothing to gain\n",
    ]);
  });

  test("is stopped by a signal, and says what the server says", async () => {
    const waiting = new FakeTransport().onStream(STRATA_METHODS.defragment, async function* () {
      yield { progress: PROGRESS };
      await new Promise(() => undefined);
    });
    const stopped = await strata(waiting, ["defrag"], { began: (io) => io.send("SIGINT") });
    expect(stopped).toMatchObject({ code: 130, out: "", err: "Error: stopped by SIGINT\n" });
    const failing = (error: Error): FakeTransport =>
      new FakeTransport().onStream(STRATA_METHODS.defragment, async function* () {
        yield { progress: PROGRESS };
        throw error;
      });
    const cancelled = new RpcError(1, "job 3 (defragmentation) was cancelled");
    expect(await strata(failing(cancelled), ["defrag"])).toMatchObject({
      code: 1,
      err: "Error: job 3 (defragmentation) was cancelled\n",
    });
    const broken = new RpcError(14, "transport is closing");
    expect((await strata(failing(broken), ["defrag"])).err).toBe(
      "Error: rpc error: code = Unavailable desc = transport is closing\n",
    );
    expect((await strata(server(), ["defrag"])).err).toBe(
      "Error: the server did not say what came of it\n",
    );
  });
});

describe("check", () => {
  const server = (report: object): FakeTransport =>
    new FakeTransport().onStream(STRATA_METHODS.checkIntegrity, async function* () {
      yield { report: { keys: 3n, pages: 2n, sizeBytes: 12_288n, tookMs: 5n, ...report } };
    });

  test("says that all is well", async () => {
    const { code, out } = await strata(server({}), ["check"]);
    expect([code, out]).toEqual([
      0,
      "The database of member[127.0.0.1:2379] is sound: 3 keys in 2 pages of 12 kB, 5 ms\n",
    ]);
  });

  test("or which faults there are, with exit code 1", async () => {
    const faults = [{ offsetBytes: 4096n, what: "page 1 is nobody's" }];
    const { code, out, err } = await strata(server({ faultCount: 3n, faults }), ["check"]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toBe(
      "Error: the database of member[127.0.0.1:2379] has 3 faults:\noffset 4096: page 1 is nobody's\n... and 2 more\n",
    );
    const json = await strata(server({ faultCount: 1n, faults }), ["check", "-w", "json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({
      fault_count: 1,
      faults: [{ offset_bytes: 4096, what: "page 1 is nobody's" }],
    });
  });
});

describe("quota", () => {
  const server = (): FakeTransport =>
    new FakeTransport()
      .on(MAINTENANCE_METHODS.status, {
        header: HEADER,
        dbSizeQuota: 2_147_483_648n,
        dbSize: 25_000n,
        dbSizeInUse: 20_000n,
      })
      .on(STRATA_METHODS.setQuota, ({ quotaBytes }) => ({
        header: HEADER,
        quotaBytes,
        quotaBytesBefore: 2_147_483_648n,
      }));

  test("is shown with what is used of it", async () => {
    const { out } = await strata(server(), ["quota"]);
    expect(out).toBe(
      "Quota: 2147483648 bytes (2.1 GB); the database takes 25 kB, of which 20 kB are in use\n",
    );
    const json = await strata(server(), ["quota", "-w", "json"]);
    expect(json.out).toBe(`{${HEADER_JSON},"quota_bytes":2147483648}\n`);
  });

  test.each([
    ["8GiB", 2n ** 33n, "8589934592 bytes (8.6 GB)"],
    ["1000", 1000n, "1000 bytes (1.0 kB)"],
    ["none", -1n, "none"],
  ])("%s is set", async (text, bytes, shown) => {
    const transport = server();
    const { code, out } = await strata(transport, ["quota", text]);
    expect(transport.requests).toEqual([{ quotaBytes: bytes }]);
    expect([code, out]).toEqual([0, `Quota: ${shown}; it was: 2147483648 bytes (2.1 GB)\n`]);
  });

  test("default is asked for as the flag's 0", async () => {
    const transport = server();
    await strata(transport, ["quota", "default"]);
    expect(transport.requests).toEqual([{}]);
  });
});

test("a real etcd has no such calls, and that is said in one line", async () => {
  const etcd = new FakeTransport().on(MAINTENANCE_METHODS.status, { header: HEADER });
  const said = async (...args: string[]) => {
    const { code, out, err } = await strata(etcd, args);
    return [code, out, err];
  };
  const none = (method: string) => [
    1,
    "",
    `Error: this server has no stratapb.Maintenance/${method}: is it strata?\n`,
  ];
  expect(await said("jobs")).toEqual(none("Jobs"));
  expect(await said("jobs", "cancel", "1")).toEqual(none("CancelJob"));
  expect(await said("defrag")).toEqual(none("Defragment"));
  expect(await said("check")).toEqual(none("CheckIntegrity"));
  expect(await said("quota", "1GiB")).toEqual(none("SetQuota"));
  expect(await said("quota")).toEqual([
    1,
    "",
    "Error: this server does not say what its quota is: is it strata?\n",
  ]);
});

test.each([
  [["jobs", "x"], "jobs command accepts no arguments"],
  [["jobs", "--watch", "--interval=0s"], "--interval: it is more than nothing"],
  [["jobs", "cancel"], "jobs cancel command needs the id of one job"],
  [["jobs", "cancel", "0x1"], 'bad job id (strconv.ParseInt: parsing "0x1": invalid syntax)'],
  [["jobs", "--endpoints=a:1,b:1"], "one server must be asked, not several [a:1 b:1]"],
  [["defrag", "x"], "defrag command accepts no arguments"],
  [["defrag", "--rate=-1"], "--rate: a rate is not negative: -1"],
  [["check", "x"], "check command accepts no arguments"],
  [["quota", "1", "2"], "quota command accepts one size"],
  [["quota", "0"], "a quota is more than nothing; there are also default and none"],
])("%j is refused before anything is asked", async (args, why) => {
  const transport = new FakeTransport();
  const { code, out, err } = await strata(transport, args);
  expect([code, out, err]).toEqual([128, "", `Error: ${why}\n`]);
  expect(transport.calls).toEqual([]);
});

test("a word is a command, with etcdctl's variables and help of its own", async () => {
  const server = new FakeTransport().on(STRATA_METHODS.jobs, {});
  expect((await strata(server, ["help"])).out).toContain("strata jobs | defrag | quota | check");
  expect((await strata(server, ["help", "jobs", "cancel"])).out).toContain("jobs cancel <id>");
  expect((await strata(server, ["jobs", "--help"])).out).toMatch(/COMMANDS:\n {2}cancel /);
  const env = { ETCDCTL_ENDPOINTS: "other:1" };
  await strata(server, ["jobs"], { env });
  expect(server.options?.endpoints).toEqual(["other:1"]);
});
