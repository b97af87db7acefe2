/**
 * One member of strata's becomes a cluster of three real etcds, and comes back: with the commands of docs/growing.md,
 * typed as they stand there, with addresses of this machine.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { builtFile } from "../support/built-cli.ts";
import { cleanUpAtEnd, scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { loopbackPorts } from "../support/loopback-ports.ts";
import { peerPath } from "../support/peers.ts";
import { ServerProcess } from "../support/server-process.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/growing.md"), "utf8");

/** The page's commands, in order. */
const COMMANDS = [...PAGE.matchAll(/^```bash\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
  block.trim().split("\n"),
);

/** Those that go on until they are stopped. */
const MIRRORS = [...PAGE.matchAll(/^\$ (etcdctl .* make-mirror .*)$/gm)].map(
  ([, command = ""]) => command,
);

const READY_MS = 30_000;
const POLL_MS = 50;

/** A machine with strata's commands on it, a real etcd, and addresses in place of those of the page. */
class Machine {
  readonly cwd: string = scratchFolder("growing");
  readonly #addresses: ReadonlyMap<string, string>;

  constructor(addresses: ReadonlyMap<string, string>) {
    this.#addresses = addresses;
    mkdirSync(join(this.cwd, "bin"));
    for (const name of ["etcdctl", "etcdutl", "strata"] as const) {
      symlinkSync(builtFile(name), join(this.cwd, "bin", name));
    }
    symlinkSync(peerPath("etcd"), join(this.cwd, "bin/etcd"));
    symlinkSync(peerPath("etcdctl"), join(this.cwd, "bin/real-etcdctl"));
  }

  /** @returns its standard output */
  type(command: string): string {
    const { status, stdout, stderr } = spawnSync("sh", ["-c", this.#here(command)], {
      cwd: this.cwd,
      encoding: "utf8",
      env: this.#env,
    });
    expect([command, status, stderr], stderr).toEqual([
      command,
      0,
      command.startsWith("real-") ? expect.any(String) : "",
    ]);
    return stdout;
  }

  /** A server, which goes on running. */
  start(command: string): Running {
    const [program = "", ...args] = this.#here(command).split(" ");
    return new Running(join(this.cwd, "bin", program), args, this.cwd, this.#env);
  }

  get #env(): NodeJS.ProcessEnv {
    const path = `${join(this.cwd, "bin")}:${process.env.PATH}`;
    return { PATH: path, HOME: this.cwd, ETCD_UNSUPPORTED_ARCH: process.arch };
  }

  #here(command: string): string {
    let text = command;
    for (const [from, to] of this.#addresses) text = text.replaceAll(from, to);
    return text;
  }
}

class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  #log = "";

  constructor(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv) {
    this.#child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const forget = cleanUpAtEnd(() => this.#child.kill("SIGKILL"));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#log += text;
      });
    }
    this.#gone = new Promise((resolve) => {
      this.#child.once("close", () => {
        forget();
        resolve();
      });
    });
  }

  async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    while (!this.#log.includes("ready to serve client requests")) {
      if (this.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`it did not get ready:\n${this.#log.slice(-4000)}`);
      }
      await sleep(POLL_MS);
    }
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#child.kill(signal);
    await this.#gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGKILL");
  }
}

interface Cast {
  readonly machine: Machine;
  /** With a history: deletions, a compaction, leases. */
  readonly strata: ServerProcess;
}

async function cast(kind: "strata" | "etcd" = "strata"): Promise<Cast> {
  const strata = await ServerProcess.start({ kind });
  const ports = await loopbackPorts(6);
  const addresses = new Map([["127.0.0.1:2379", strata.endpoint]]);
  for (const host of [1, 2, 3]) {
    addresses.set(`10.0.0.${host}:2379`, `127.0.0.1:${ports[host - 1]}`);
    addresses.set(`10.0.0.${host}:2380`, `127.0.0.1:${ports[host + 2]}`);
  }
  const machine = new Machine(addresses);
  const ctl = `real-etcdctl --endpoints=127.0.0.1:2379`;
  const lease = /lease ([0-9a-f]+) granted/.exec(machine.type(`${ctl} lease grant 5000`))?.[1];
  machine.type(
    [
      `for i in 1 2 3; do ${ctl} put key-$i value-$i; done`,
      `${ctl} put key-1 again`,
      `${ctl} del key-2`,
      `${ctl} put leased it --lease=${lease}`,
      `${ctl} compaction 6`,
      `${ctl} put after it`,
      `${ctl} del key-3`,
    ].join(" && "),
  );
  return { machine, strata };
}

const keysOf = (machine: Machine, address: string): string =>
  machine
    .type(`real-etcdctl --endpoints=${address} get --prefix '' -w json`)
    .replace(/"header":\{.*?\},/, "");

const hashOf = (machine: Machine, addresses: string): string[] =>
  machine
    .type(`real-etcdctl --endpoints=${addresses} endpoint hashkv`)
    .trim()
    .split("\n")
    .map((line) => line.split(", ")[1] as string);

const ALL = "10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379";

const pairsOf = (machine: Machine, address: string, prefix: string): string =>
  machine.type(`real-etcdctl --endpoints=${address} get --prefix '${prefix}'`);

const WRITES = 40;

/** Writes while a mirror runs, until it has copied all of it. */
async function written(
  machine: Machine,
  command: string,
  [from, to]: readonly [from: string, to: string],
  prefix: string,
): Promise<void> {
  const put = `real-etcdctl --endpoints=${from} put shared/`;
  machine.type(`${put}before it began`);
  await using mirror = machine.start(command);
  for (let i = 0; i < WRITES; i++) {
    machine.type(`${put}${i % 10} ${from}-${i}`);
    if (i % 8 === 7) machine.type(`real-etcdctl --endpoints=${from} del shared/${i % 10}`);
  }
  const wanted = pairsOf(machine, from, prefix);
  expect(wanted).toContain(`${WRITES - 2}`);
  const deadline = Date.now() + READY_MS;
  while (pairsOf(machine, to, prefix) !== wanted && Date.now() < deadline) await sleep(POLL_MS);
  expect(pairsOf(machine, to, prefix)).toBe(wanted);
  await mirror.stop("SIGTERM");
}

describeWithPeers("growing from one member to three", ["etcd", "etcdctl"], () => {
  test("the page's commands, in its order", { timeout: 120_000 }, async () => {
    const { machine, strata } = await cast();
    const keys = keysOf(machine, "127.0.0.1:2379");
    const [hash] = hashOf(machine, "127.0.0.1:2379");
    const leases = machine.type("real-etcdctl --endpoints=127.0.0.1:2379 lease list");
    const running: Running[] = [];
    const said: string[] = [];
    for (const command of COMMANDS) {
      const [program = "", ...words] = command.split(" ");
      if (program === "etcd") {
        running.push(machine.start(command));
        continue;
      }
      if (words.includes("endpoint") && words.includes("hashkv")) {
        expect(running).toHaveLength(3);
        await Promise.all(running.map((each) => each.ready()));
      }
      if (program === "strata") {
        for (const each of running.splice(0)) await each.stop("SIGTERM");
        const here = `${command} --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://10.0.0.1:2380`;
        await using back = machine.start(here);
        await back.ready();
        expect(keysOf(machine, "127.0.0.1:2379")).toBe(keys);
        expect(hashOf(machine, "127.0.0.1:2379")).toEqual([hash]);
        continue;
      }
      said.push(machine.type(command));
      if (words.includes("backup.db") && words.includes("hashkv")) {
        expect(said.at(-1)).toBe(`${hash}, 9, 6\n`);
        await strata.stop();
      }
      if (words.includes("lease")) {
        expect(said.at(-1)).toBe(leases);
        expect(hashOf(machine, ALL)).toEqual([hash, hash, hash]);
        for (const address of ALL.split(",")) expect(keysOf(machine, address)).toBe(keys);
        expect(
          machine.type(`etcdctl --endpoints=10.0.0.1:2379 member list`).match(/started/g),
        ).toHaveLength(3);
      }
    }
    expect(said.length).toBeGreaterThan(10);
  });

  test("without a stop: mirrors there and back while keys are written", {
    timeout: 120_000,
  }, async () => {
    const { machine } = await cast();
    const running: Running[] = [];
    for (const command of COMMANDS.slice(
      0,
      COMMANDS.findIndex((one) => one.includes(ALL)),
    )) {
      if (command.startsWith("etcd ")) running.push(machine.start(command));
      else machine.type(command);
    }
    await Promise.all(running.map((each) => each.ready()));
    const [there = "", back = ""] = MIRRORS;
    await written(machine, there, ["127.0.0.1:2379", "10.0.0.3:2379"], "");
    await written(machine, back, ["10.0.0.2:2379", "127.0.0.1:2379"], "shared/");
    for (const each of running) await each.stop("SIGTERM");
  });

  test("etcd's own restore takes our snapshot", { timeout: 60_000 }, async () => {
    const { machine, strata } = await cast();
    const keys = keysOf(machine, "127.0.0.1:2379");
    const hash = hashOf(machine, "127.0.0.1:2379");
    machine.type("etcdctl --endpoints=127.0.0.1:2379 snapshot save ours.db");
    await strata.stop();
    machine.type("real-etcdctl snapshot restore ours.db --data-dir=theirs.etcd");
    await using etcd = machine.start(
      "etcd --data-dir=theirs.etcd --listen-peer-urls=http://10.0.0.1:2380 --listen-client-urls=http://10.0.0.1:2379 --advertise-client-urls=http://10.0.0.1:2379",
    );
    await etcd.ready();
    expect(keysOf(machine, "10.0.0.1:2379")).toBe(keys);
    expect(hashOf(machine, "10.0.0.1:2379")).toEqual(hash);
  });

  test("our restore takes theirs, for strata and for etcd", { timeout: 60_000 }, async () => {
    const { machine, strata: etcd } = await cast("etcd");
    const keys = keysOf(machine, "127.0.0.1:2379");
    const hash = hashOf(machine, "127.0.0.1:2379");
    const leases = machine.type("real-etcdctl --endpoints=127.0.0.1:2379 lease list");
    machine.type("real-etcdctl --endpoints=127.0.0.1:2379 snapshot save theirs.db");
    machine.type("etcdctl --endpoints=127.0.0.1:2379 snapshot save again.db");
    machine.type("cmp theirs.db again.db");
    await etcd.stop();
    for (const [utility, server] of [
      ["etcdctl", "etcd"],
      ["etcdutl", "strata"],
    ]) {
      const dir = `${utility}-${server}.etcd`;
      machine.type(`${utility} snapshot restore again.db --data-dir=${dir}`);
      await using running = machine.start(
        `${server} --data-dir=${dir} --listen-peer-urls=http://10.0.0.1:2380 --listen-client-urls=http://10.0.0.1:2379 --advertise-client-urls=http://10.0.0.1:2379`,
      );
      await running.ready();
      expect(keysOf(machine, "10.0.0.1:2379")).toBe(keys);
      expect(hashOf(machine, "10.0.0.1:2379")).toEqual(hash);
      expect(machine.type("real-etcdctl --endpoints=10.0.0.1:2379 lease list")).toBe(leases);
    }
  });
});
