import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { contentOf, make } from "./data-dir.ts";
import { measureMaintenance } from "./measure.ts";
import { PHASES } from "./phases.ts";
import { show } from "./table.ts";

describeWithPeers("maintenance under load", ["etcdctl"], () => {
  test("every put counts, beside nothing and beside everything", { timeout: 60_000 }, async () => {
    const folder = scratchFolder("bench-maintenance");
    const made = join(folder, "made");
    await make(made, contentOf(200, 300));
    const phases = PHASES.filter(({ name }) => !["status", "hash-kv"].includes(name));
    const rounds = await measureMaintenance({
      side: "strata",
      keys: 200,
      valueBytes: 300,
      puts: 500,
      gets: 500,
      connections: 1,
      seconds: 0.1,
      warmUpSeconds: 0.05,
      rounds: 1,
      phases,
      slowRate: 1e6,
      saves: 1,
      made,
      folder,
    });
    const figures = rounds.flatMap((round) => round.figures);
    expect(figures.map(({ phase }) => phase)).toEqual(phases.map(({ name }) => name));
    for (const { during, failure } of figures) {
      expect(failure).toBeUndefined();
      expect(during.puts).toMatchObject({ failed: 0, dropped: 0 });
      expect(during.gets).toMatchObject({ failed: 0, dropped: 0 });
      expect(Math.min(during.puts.answered, during.gets.answered)).toBeGreaterThan(0);
    }
    expect(show(rounds, phases)).toContain("× quiet");
  });
});
