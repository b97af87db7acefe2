/**
 * Removing a file that may be big: unlinking 400 MB holds up every sync of the disk for 50 to 70 ms, cutting it away
 * piece by piece for 6 to 10.
 */
import type { Directory, RandomAccessFile } from "../../native-free/file.ts";

const STEP_BYTES = 10 * 1024 * 1024;

/**
 * @param aside  a name under which nobody reads a file: it is cut there, so that at no moment, whatever happens, a part
 *   stands under its own name. What a crash leaves of it the next start removes
 */
export function removeInSteps(
  directory: Directory,
  name: string,
  aside: string,
  stepBytes: number = STEP_BYTES,
): void {
  const file = directory.openFile(name, "write");
  try {
    if (file.size() > stepBytes) {
      directory.rename(name, aside);
      directory.sync();
      cutInSteps(file, stepBytes);
      directory.remove(aside);
      return;
    }
  } finally {
    file.close();
  }
  directory.remove(name);
}

/**
 * All but the last step of a file: that one goes with it.
 * @param onStep  called between two steps; what it throws ends the cutting
 */
export function cutInSteps(
  file: RandomAccessFile,
  stepBytes: number = STEP_BYTES,
  onStep: () => void = () => undefined,
): void {
  for (let left = file.size() - stepBytes; left > 0; left -= stepBytes) {
    file.truncate(left);
    file.sync();
    onStep();
  }
}
