/** Which peers a result has been measured beside, and their versions; or why one is missing. */
import { peer } from "../../test/support/peers.ts";
import { loadPeer } from "../store/peers.ts";
import type { Machine } from "../support/machine.ts";
import type { PeerFound, QuestionResult } from "./result.ts";

const PACKAGES = ["better-sqlite3", "classic-level", "lmdb"] as const;
const PROGRAMS = ["etcd", "etcdctl", "h2load"] as const;

/** Of those that are among the sides, by the first word of their names: "lmdb, flushed" is lmdb. */
export function peersFound(
  questions: readonly QuestionResult[],
  { go, bbolt, why }: Machine,
): Record<string, PeerFound> {
  const names = new Set(
    questions.flatMap(({ sizes }) =>
      sizes.flatMap(({ sides }) => sides.map(({ name }) => name.split(/[ ,]/)[0] ?? name)),
    ),
  );
  // Not a side, but what asks the servers.
  if (questions.some(({ group }) => group === "server")) names.add("h2load");
  const found: Record<string, PeerFound> = {};
  if (names.has("bbolt")) {
    found.bbolt =
      go === undefined ? { missing: why ?? "no Go" } : { version: `${bbolt} in Go ${go}` };
  }
  for (const name of PROGRAMS) {
    if (!names.has(name)) continue;
    const program = peer(name);
    found[name] = program.found ? { version: program.version } : { missing: program.why };
  }
  for (const name of PACKAGES) {
    if (!names.has(name)) continue;
    const loaded = loadPeer(name);
    found[name] = loaded.found ? { version: loaded.version } : { missing: loaded.why };
  }
  return found;
}
