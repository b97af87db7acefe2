import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import { main } from "../console/main.ts";
import { ETCDCTL } from "./etcdctl.ts";
import { ETCDUTL } from "./etcdutl.ts";
import { STRATA } from "./strata.ts";

async function ran(
  program: typeof ETCDCTL,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<[number, string, string]> {
  const io = new MemoryIo({ env });
  const code = await main(program, args, io);
  return [code, io.stdout.text, io.stderr.text];
}

test("version has etcd's two lines, whatever flags stand there", async () => {
  const lines = (name: string): RegExp =>
    new RegExp(`^${name} version: \\d+\\.\\d+\\.\\d+\\+strata\nAPI version: 3\\.5\n$`);
  for (const args of [["version"], ["v"], ["version", "-w", "json"], ["version", "extra"]]) {
    const [code, out, err] = await ran(ETCDCTL, args, { ETCDCTL_BOGUS: "1", ETCDCTL_API: "3" });
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(lines("etcdctl"));
  }
  expect((await ran(ETCDUTL, ["version"]))[1]).toMatch(lines("etcdutl"));
});

test("every global flag of etcdctl 3.4 to 3.6 is taken", async () => {
  const flags = [
    "--endpoints=a,b --endpoints c --write-out=table -w json --hex --dial-timeout=1s",
    "--command-timeout 1m --keepalive-time=2s --keepalive-timeout=6s --insecure-transport=false",
    "--insecure-skip-tls-verify --insecure-discovery --cert=c --key=k --cacert=ca --user=u:p",
    "--password=p --discovery-srv=d -d d --discovery-srv-name=n --debug --max-request-bytes=1",
    "--max-recv-bytes=1",
  ];
  const [code, , err] = await ran(ETCDCTL, [...flags.join(" ").split(" "), "version"]);
  expect([code, err]).toEqual([0, ""]);
});

test("ETCDCTL_API asks for the one there is, or for nothing there is", async () => {
  expect((await ran(ETCDCTL, ["version"], { ETCDCTL_API: "" }))[0]).toBe(0);
  expect(await ran(ETCDCTL, ["version"], { ETCDCTL_API: "2" })).toEqual([
    1,
    "",
    "unsupported API version 2\n",
  ]);
});

test("strata answers as etcd to --version and --help, and to flags that cannot be read", async () => {
  const [code, out, err] = await ran(STRATA, ["--version"]);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(
    /^etcd Version: 3\.5\.\d+\nGit SHA: strata-\d+\.\d+\.\d+\nGo Version: node-v\S+\nGo OS\/Arch: \S+\/\S+\n$/,
  );
  const [, help] = await ran(STRATA, ["-h"]);
  expect(help).toMatch(/^Usage:\n/);
  expect(help).toContain("\n  --quota-backend-bytes '0'\n");
  expect(help).toContain("\n  strata jobs | defrag | quota | check\n");
  const [refused, nothing, why] = await ran(STRATA, ["--nosuch"]);
  expect([refused, nothing]).toEqual([2, ""]);
  expect(why).toMatch(/^flag provided but not defined: -nosuch\nUsage:\n/);
});
