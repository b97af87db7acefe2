import { checkTree } from "../pagefile/check.ts";
import type { CheckInput, CheckOutput } from "./integrity-check.ts";
import { readOffline } from "./offline-file.ts";
import { ProgressWriter } from "./progress.ts";

/** The job itself, on whatever thread. */
export async function check(
  input: CheckInput,
  progress: ProgressWriter = new ProgressWriter(),
): Promise<CheckOutput> {
  const { value, reading } = await readOffline(input.path, ({ source, meta }) => {
    const { pageBytes } = source;
    let pages = 0;
    progress.phase(0, meta.pgid * pageBytes);
    const result = checkTree(source, meta, {
      entered: (count) => {
        pages += count;
        progress.done(pages * pageBytes);
      },
    });
    return { ...result, txid: meta.txid };
  });
  return { ...value, path: input.path, reading };
}
