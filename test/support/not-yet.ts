import type { ClientKind } from "./etcdctl-command.ts";

/**
 * Steps of the golden transcripts that need users and roles switched on, which strata answers with UNIMPLEMENTED so
 * far, and steps that come after these. The list is exact: a step that passes has to leave it.
 */
const NOT_YET: Readonly<Record<string, readonly string[]>> = {
  "auth-flow.json": [
    // Users, roles and permissions are made and looked at.
    ...steps(1, 24),
    // Authentication is switched on, and everybody has to show who they are.
    ...steps(29, 52),
    ...["53.0", "53"],
    ...steps(54, 65),
    ...["68", "69"],
    // Users, roles and permissions are changed and removed, and authentication is switched off.
    ...steps(71, 96),
  ],
};

/**
 * Of these, those that pass with ours. They give a name and a password to a strata whose authentication is off, and are
 * to do what they would do in any case; the real etcdctl does that too, and says on stderr that authentication is off.
 */
const ANYWAY_WITH_OURS: Readonly<Record<string, readonly string[]>> = {
  "auth-flow.json": [
    ...steps(36, 38),
    ...["40", "42"],
    ...steps(46, 48),
    ...["52", "53.0", "53", "63", "64", "68", "69"],
    ...steps(71, 74),
    ...["80", "96"],
  ],
};

/** The steps of a transcript that do not pass with this client against strata. */
export function notYet(file: string, client: ClientKind): readonly string[] {
  const anyway = client === "ours" ? (ANYWAY_WITH_OURS[file] ?? []) : [];
  return (NOT_YET[file] ?? []).filter((step) => !anyway.includes(step));
}

function steps(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}
