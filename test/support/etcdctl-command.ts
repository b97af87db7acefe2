/** Whose etcdctl: this package's as it was built, or the real one. */
import { builtFile } from "./built-cli.ts";
import { peerPath } from "./peers.ts";

export type ClientKind = "ours" | "real";

/** Program, and arguments before all others. @throws Error if it is not there */
export function etcdctlCommand(
  kind: ClientKind,
): readonly [program: string, ...before: readonly string[]] {
  return kind === "real" ? [peerPath("etcdctl")] : [process.execPath, builtFile("etcdctl")];
}
