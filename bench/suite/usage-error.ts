/** What whoever started the benchmark can put right: one line, and exit code 2. */
export class UsageError extends Error {
  override readonly name: string = "UsageError";
}
