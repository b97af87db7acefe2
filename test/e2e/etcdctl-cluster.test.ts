/** Our etcdctl and etcd's, side by side on a cluster of three: what one member alone cannot show. */
import { beforeAll, expect, test } from "vitest";
import { ETCDCTL } from "../../src/cli/etcdctl.ts";
import { main } from "../../src/console/main.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { MemoryIo } from "../support/memory-io.ts";
import { RealCluster } from "../support/real-cluster.ts";
import { type CommandResult, etcdctl } from "../support/real-etcd.ts";

let cluster: RealCluster;

async function ours(...args: readonly string[]): Promise<CommandResult> {
  return await oursAt(cluster.endpoints, ...args);
}

async function oursAt(endpoints: string, ...args: readonly string[]): Promise<CommandResult> {
  const io = new MemoryIo();
  const code = await main(ETCDCTL, ["--endpoints", endpoints, ...args], io);
  return { code, stdout: io.stdout.text, stderr: io.stderr.text };
}

async function theirs(...args: readonly string[]): Promise<CommandResult> {
  const ran = await etcdctl("--endpoints", cluster.endpoints, ...args);
  // The Go client says in JSON what it tries again.
  return { ...ran, stderr: ran.stderr.replace(/^\{.*\}\n/gm, "") };
}

/** Of the leader, as typed, and of one that follows. */
async function roles(): Promise<{ leader: string; leaderId: string; follower: string }> {
  const { stdout } = await theirs("endpoint", "status");
  const rows = stdout.split("\n").map((line) => line.split(", "));
  const [leader = "", leaderId = ""] = rows.find((row) => row[4] === "true") ?? [];
  const [follower = ""] = rows.find((row) => row[4] === "false") ?? [];
  return { leader, leaderId, follower };
}

describeWithPeers("etcdctl on three members", ["etcd", "etcdctl"], () => {
  beforeAll(async () => {
    cluster = await RealCluster.start();
    await theirs("put", "foo", "bar");
  });

  test.each([
    ["member list"],
    ["member list -w json"],
    ["member list -w fields"],
    ["member list -w table"],
    ["endpoint status --cluster"],
    ["endpoint status -w table"],
    ["endpoint hashkv --cluster -w table"],
    ["endpoint hashkv --cluster --rev=2"],
    ["endpoint hashkv --rev=99"],
    ["endpoint hashkv -w json"],
    ["defrag --cluster"],
    ["defrag"],
    ["alarm list"],
    ["alarm disarm"],
    ["move-leader 1234"],
    ["member promote 1234"],
  ])("%s says the same", async (line) => {
    const args = line.split(" ");
    const [mine, real] = [await ours(...args), await theirs(...args)];
    expect(steady(mine.stdout)).toBe(steady(real.stdout));
    expect({ ...mine, stdout: "" }).toEqual({ ...real, stdout: "" });
  });

  test("all endpoints are healthy, by their client URLs", async () => {
    const { code, stdout, stderr } = await ours("endpoint", "health", "--cluster");
    expect([code, stderr]).toEqual([0, ""]);
    const urls = stdout.split("\n").map((line) => line.split(" ")[0] ?? "");
    expect(urls.sort()).toEqual(["", ...cluster.members.map((one) => one.clientUrl)].sort());
  });

  test("the leadership moves, if the leader is among the endpoints", async () => {
    const { leader, leaderId, follower } = await roles();
    const target = (await oursAt(follower, "endpoint", "status")).stdout.split(", ")[1] ?? "";
    expect(await oursAt(follower, "move-leader", target)).toEqual({
      code: 128,
      stdout: "",
      stderr: `Error: no leader endpoint given at [${follower}]\n`,
    });
    expect(await oursAt(`${follower},${leader}`, "move-leader", target)).toEqual({
      code: 0,
      stdout: `Leadership transferred from ${leaderId} to ${target}\n`,
      stderr: "",
    });
    expect((await roles()).leaderId).toBe(target);
  });

  test("a member that is gone is told, and the others answer", async () => {
    const [gone, ...rest] = cluster.members;
    await gone?.stop("SIGKILL");
    const args = ["--command-timeout=1s", "endpoint", "hashkv"];
    const { code, stdout, stderr } = await ours(...args);
    const why = "context deadline exceeded";
    expect([code, stderr]).toEqual([
      1,
      `Failed to get the hash of endpoint ${gone?.endpoint} (${why})\nError: ${why}\n`,
    ]);
    expect(stdout.split("\n").map((line) => line.split(",")[0])).toEqual([
      ...rest.map(({ endpoint }) => endpoint),
      "",
    ]);
  });
});

/** Without what may change between two questions: who of the three answers, and how far the log has come. */
function steady(text: string): string {
  return text
    .replace(/"member_id":\d+,/g, "")
    .replace(/"MemberID" : \d+/g, "")
    .replace(/\d+, \d+, $/gm, "")
    .replace(/ +\d+ \| +\d+ \| +\|$/gm, "");
}
