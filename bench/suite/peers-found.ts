/** Which peers a result has been measured beside, and their versions; or why one is missing. */
import { peer } from "../../test/support/peers.ts";
import { FAILED } from "../store/alternate.ts";
import { loadPeer } from "../store/peers.ts";
import type { Machine } from "../support/machine.ts";
import { OURS } from "./question.ts";
import type { PeerFound, QuestionResult } from "./result.ts";

/**
 * Of those that are among the sides, by the first word of their names: "lmdb, flushed" is lmdb. Sides that are no
 * program, such as the disk's own fdatasync, have no version and are left out.
 */
export function peersFound(
  questions: readonly QuestionResult[],
  machine: Machine,
): Record<string, PeerFound> {
  const found: Record<string, PeerFound> = {};
  const add = (name: string): void => {
    const version = versionOf(name, machine);
    if (version !== undefined && found[name] === undefined) found[name] = version;
  };
  const sides = questions.flatMap(({ sizes }) => sizes.flatMap((size) => size.sides));
  for (const side of sides.filter(({ name }) => name !== OURS)) {
    const [name = side.name] = side.name.split(/[ ,]/);
    const missing = "missing" in side ? side.missing : FAILED;
    if (missing.startsWith(FAILED)) add(name);
    else found[name] = { missing };
  }
  // Not a side, but what asks the servers.
  if (questions.some(({ group }) => group === "server")) add("h2load");
  return found;
}

function versionOf(name: string, { go, bbolt, why = "no Go" }: Machine): PeerFound | undefined {
  switch (name) {
    case "bbolt":
      return go === undefined ? { missing: why } : { version: `${bbolt} in Go ${go}` };
    case "etcd":
    case "etcdctl":
    case "h2load": {
      const program = peer(name);
      return program.found ? { version: program.version } : { missing: program.why };
    }
    case "better-sqlite3":
    case "classic-level":
    case "lmdb": {
      const loaded = loadPeer(name);
      return loaded.found ? { version: loaded.version } : { missing: loaded.why };
    }
    default:
      return undefined;
  }
}
