/**
 * `etcdctl lock` and `elect` by several processes at once, ours among real ones: never two holders. The witness is a
 * file that each holder makes (and must be the one to make) and removes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import type { ClientKind } from "../support/etcdctl-command.ts";
import { Etcdctl, type RunningEtcdctl } from "../support/etcdctl-process.ts";
import { rng } from "../support/rng.ts";
import { type ServerKind, ServerProcess } from "../support/server-process.ts";

const FULL = process.env.STRATA_FULL === "1";

/** A holder: it must be the only one for a while. `set -C`: an existing file is not written to. */
function witness(client: ClientKind): string {
  const me = `"${client} $ETCD_LOCK_KEY"`;
  const make = `echo ${me} >held || echo ${me} while "$(cat held)" >>twice`;
  return `set -C; ${make}; sleep 0.02; rm -f held; echo ${me} >>turns`;
}

interface Rig {
  readonly server: ServerProcess;
  readonly ctl: (kind: ClientKind) => Etcdctl;
  readonly lines: (file: string) => string[];
}

async function rig(kind: ServerKind): Promise<Rig> {
  const server = await ServerProcess.start({ kind });
  onTestFinished(() => void server.stop("SIGKILL"));
  const { cwd, endpoint } = server;
  for (const file of ["turns", "twice"]) writeFileSync(join(cwd, file), "");
  return {
    server,
    ctl: (client) => new Etcdctl({ cwd, endpoint, client }),
    lines: (file) => readFileSync(join(cwd, file), "utf8").split("\n").filter(Boolean),
  };
}

for (const kind of ["strata", "etcd"] as const) {
  describeWithPeers(`locks of ${kind}`, ["etcd", "etcdctl"], () => {
    test("lock with a command, ours and real ones at once", { timeout: 600_000 }, async () => {
      const { ctl, lines } = await rig(kind);
      const rounds = FULL ? 25 : 1;
      for (let round = 0; round < rounds; round++) {
        const clients = (["ours", "real"] as const).flatMap((one) => [one, one, one]);
        const all = clients.map((one) =>
          ctl(one).run(["lock", "l", "--", "sh", "-c", witness(one)]),
        );
        const ended = await Promise.all(all);
        expect(ended.map(({ code }) => code)).toEqual(clients.map(() => 0));
      }
      expect(lines("twice")).toEqual([]);
      expect(lines("turns").length).toBe(rounds * 6);
      expect(new Set(lines("turns")).size).toBe(rounds * 6);
      expect(await ctl("ours").out("get", "--prefix", "")).toBe("");
    });

    if (kind === "etcd" && !FULL) return;

    test("a lock goes on to the next: by a signal, and by the end of a killed holder's lease", async () => {
      const { ctl } = await rig(kind);
      const first = ctl("ours").start("lock", "l", "--ttl=2");
      await first.says("l/");
      const second = ctl("real").start("lock", "l", "--ttl=2");
      await queued(ctl, "l", 2);
      const third = ctl("ours").start("lock", "l", "--ttl=2");
      await queued(ctl, "l", 3);
      const gaveUp = ctl("ours").start("lock", "l");
      await queued(ctl, "l", 4);
      expect(await gaveUp.end("SIGINT")).toMatchObject({
        code: 1,
        stderr: "Error: context canceled\n",
      });
      expect([second.stdout, third.stdout]).toEqual(["", ""]);
      await first.end("SIGKILL");
      await second.says("l/");
      expect(third.stdout).toBe("");
      expect((await second.end("SIGTERM")).code).toBe(0);
      await third.says("l/");
      expect(await third.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
      expect(await ctl("ours").out("get", "--prefix", "")).toBe("");
    });

    test("elect: one leads at a time, in turn, and the listener is told", async () => {
      const { ctl } = await rig(kind);
      const listeners = [
        ctl("ours").start("elect", "-l", "e"),
        ctl("real").start("elect", "-l", "e"),
      ];
      const candidates: RunningEtcdctl[] = [];
      for (const [i, client] of (["ours", "real", "ours"] as const).entries()) {
        candidates.push(ctl(client).start("elect", "e", `p${i}`));
        await queued(ctl, "e", i + 1);
      }
      for (const [i, candidate] of candidates.entries()) {
        await candidate.says(`p${i}\n`);
        for (const listener of listeners) await listener.says(`p${i}\n`);
        expect(candidates.slice(i + 1).map(({ stdout }) => stdout)).toEqual(
          candidates.slice(i + 1).map(() => ""),
        );
        expect(await candidate.end("SIGTERM")).toMatchObject({ code: 0, stderr: "" });
      }
      const leaders = candidates.map(({ stdout }) => stdout).join("");
      for (const listener of listeners) {
        expect(await listener.end("SIGINT")).toMatchObject({ code: 0, stdout: leaders });
      }
      expect(await ctl("ours").out("get", "--prefix", "")).toBe("");
    });

    test("a holder whose lease is revoked says so", async () => {
      const { ctl } = await rig(kind);
      const holder = ctl("ours").start("lock", "l", "--ttl=2");
      await holder.says("l/");
      const lease = holder.stdout.trim().slice(2);
      await ctl("ours").out("lease", "revoke", lease);
      expect(await holder.gone).toMatchObject({ code: 1, stderr: "Error: session expired\n" });
    });

    if (FULL) {
      test("holders and waiters killed at random, server restarts", {
        timeout: 600_000,
      }, async () => {
        const { ctl, lines, server } = await rig(kind);
        const random = rng(7);
        const until = Date.now() + 60_000;
        let done = 0;
        const worker = async (client: ClientKind): Promise<void> => {
          while (Date.now() < until) {
            // The holder's own process takes the witness away again: it is not there any more when it was killed.
            const one = ctl(client).start(
              "lock",
              "l",
              "--ttl=2",
              "--",
              "sh",
              "-c",
              witness(client),
            );
            if (random.float() < 0.2) await Promise.race([sleep(random.float() * 400), one.gone]);
            else await one.gone;
            const { code } = await one.end("SIGKILL");
            if (code === 0) done++;
          }
        };
        const workers = (["ours", "ours", "ours", "real", "real"] as const).map(worker);
        for (let i = 0; i < 4; i++) {
          await sleep(10_000);
          await server.stop(i % 2 === 0 ? "SIGKILL" : "SIGTERM");
          await server.start();
        }
        await Promise.all(workers);
        expect(lines("twice")).toEqual([]);
        expect(done).toBeGreaterThan(20);
      });
    }
  });
}

/** Until so many have a key under the name. */
async function queued(ctl: Rig["ctl"], name: string, count: number): Promise<void> {
  const keys = (): Promise<string> => ctl("real").out("get", "--prefix", "--keys-only", `${name}/`);
  await expect
    .poll(async () => (await keys()).split("\n").filter(Boolean).length, { timeout: 30_000 })
    .toBe(count);
}
