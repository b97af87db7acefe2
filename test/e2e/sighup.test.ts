/** A real SIGHUP to a real server: the quota of its configuration file is in force, without a restart. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../support/built-cli.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { ask } from "../support/http-rig.ts";
import { loopbackPorts } from "../support/loopback-ports.ts";

const MIB = 2 ** 20;

test("SIGHUP changes the quota of a running server", async () => {
  const folder = scratchFolder("sighup");
  const file = join(folder, "strata.yml");
  const [port = 0] = await loopbackPorts(1);
  const url = `http://127.0.0.1:${port}`;
  const write = (quota: number): void =>
    writeFileSync(
      file,
      [
        `data-dir: ${join(folder, "data")}`,
        `listen-client-urls: ${url}`,
        `advertise-client-urls: ${url}`,
        `quota-backend-bytes: ${quota}`,
      ].join("\n"),
    );
  const quotas: Promise<string | undefined>[] = [];
  const quota = async (): Promise<string | undefined> =>
    /^etcd_server_quota_backend_bytes (.*)$/m.exec((await ask(url, "/metrics")).body)?.[1];
  let stage = 0;
  write(16 * MIB);
  const { code, stderr } = await run("strata", ["--config-file", file], {
    onStderr: (child, log) => {
      if (stage === 0 && log.includes("ready to serve client requests")) {
        stage = 1;
        const before = quota();
        quotas.push(before);
        void before.then(() => {
          write(32 * MIB);
          child.kill("SIGHUP");
        });
      } else if (stage === 1 && log.includes("the configuration file was read again")) {
        stage = 2;
        const after = quota();
        quotas.push(after);
        void after.then(() => child.kill("SIGTERM"));
      }
    },
  });
  expect((await Promise.all(quotas)).map(Number)).toEqual([16 * MIB, 32 * MIB]);
  expect(stderr).toContain(`quota-backend-bytes: ${16 * MIB} -> ${32 * MIB}`);
  // Ended by the signal, as etcd is.
  expect(code).toBeNull();
});
