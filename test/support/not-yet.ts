/**
 * Steps of the golden transcripts that need users and roles switched on, which strata answers with UNIMPLEMENTED so
 * far, and steps that come after these. The list is exact: a step that passes has to leave it.
 */
export const NOT_YET: Readonly<Record<string, readonly string[]>> = {
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

function steps(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}
