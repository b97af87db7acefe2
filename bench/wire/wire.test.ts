import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { alternate, isAnswered } from "../store/alternate.ts";
import { fanOut } from "./fan-out.ts";
import { loadEntries } from "./load.ts";
import { measureMemory } from "./memory.ts";
import { STRATA, withServer } from "./server-process.ts";

test("every watcher has every event", async () => {
  const plan = { watchers: 24, connections: 2, streams: 3, puts: 10, warmPuts: 2 };
  const figure = await withServer(STRATA, scratchFolder("bench-fan-out"), (server) =>
    fanOut(server, plan),
  );
  expect(figure.events).toBe(240);
});

describeWithPeers("the wire beside a real etcd", ["etcd", "etcdctl", "h2load"], () => {
  const tiny = { seconds: 0.3, warmUpSeconds: 0.1 };

  test("all puts and gets are answered", async () => {
    const folder = scratchFolder("bench-wire");
    for (const operation of ["put", "get"] as const) {
      const point = { connections: 2, streams: 5 };
      const answers = await alternate(loadEntries(operation, point, tiny, folder), 1);
      expect(answers.filter(isAnswered)).toHaveLength(2);
      for (const { rounds } of answers.filter(isAnswered)) {
        expect(rounds[0]?.requests).toBeGreaterThan(0);
      }
    }
  });

  test("a put of more than a stream's first window is answered", async () => {
    const folder = scratchFolder("bench-wire-large");
    const point = { connections: 1, streams: 1 };
    const large = { ...tiny, valueBytes: 128 * 1024 };
    const answers = await alternate(loadEntries("put", point, large, folder), 1);
    expect(answers.filter(isAnswered)).toHaveLength(2);
  });

  test("a server that was filled has all of it after a start", async () => {
    const figure = await measureMemory(STRATA, scratchFolder("bench-memory"), 300, 0);
    expect(figure.startedBytes).toBeGreaterThan(0);
  });
});
