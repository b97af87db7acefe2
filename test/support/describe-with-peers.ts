/**
 * The rule for tests that need an outsider: in CI it must be there, unless it cannot be had everywhere; elsewhere its
 * absence is said out loud.
 */
import { writeSync } from "node:fs";
import { beforeAll, describe, test } from "vitest";
import { judgeProgram } from "./judge.ts";
import { PEERS_NOT_EVERYWHERE, type Peer, type PeerName, peer } from "./peers.ts";

const STDERR = 2;

/** The judge's first build on a machine compiles Go's own packages too: 20 s were seen on two cores. */
const BUILD_TIMEOUT_MS = 300_000;

/** What the rule looks at, so that its own test can change it. */
export interface Surroundings {
  readonly ci: boolean;
  readonly find: (name: PeerName) => Peer;
  readonly say: (line: string) => void;
}

export type Verdict =
  | { readonly kind: "run" }
  | { readonly kind: "fail" | "skip"; readonly why: string };

/** Decides, and says the one line if the tests are skipped. */
export function judgeSurroundings(
  name: string,
  peers: readonly PeerName[],
  around: Surroundings,
): Verdict {
  const missing: string[] = [];
  let owed = false;
  for (const wanted of peers) {
    const found = around.find(wanted);
    if (found.found) continue;
    missing.push(`${wanted} (${found.why})`);
    owed ||= !PEERS_NOT_EVERYWHERE.has(wanted);
  }
  if (missing.length === 0) return { kind: "run" };
  const why = `missing: ${missing.join(", ")}`;
  if (around.ci && owed) return { kind: "fail", why };
  around.say(`SKIPPED, NOT TESTED: ${name}: ${why}`);
  return { kind: "skip", why };
}

/**
 * `describe` for tests that need `peers`. Without one of them: with CI=true one failing test that names what is
 * missing, otherwise one loud line on stderr and one skipped test. `body` runs only when all are there.
 */
export function describeWithPeers(
  name: string,
  peers: readonly PeerName[],
  body: () => void,
): void {
  const verdict = judgeSurroundings(name, peers, {
    ci: process.env.CI === "true",
    find: peer,
    // Straight to the descriptor: vitest holds console output back from tests that pass.
    say: (line) => writeSync(STDERR, `${line}\n`),
  });
  if (verdict.kind === "run") {
    describe(name, () => {
      // Before the tests, so that the first of them does not spend its time on it.
      if (peers.includes("go-bbolt")) beforeAll(() => void judgeProgram(), BUILD_TIMEOUT_MS);
      body();
    });
  } else if (verdict.kind === "fail") {
    describe(name, () => {
      test("its peers are installed", () => {
        throw new Error(verdict.why);
      });
    });
  } else {
    describe(name, () => {
      test.skip(verdict.why);
    });
  }
}
