/** What the work rejects with; undefined: it did not. */
export async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error("nothing was thrown");
  }
}
