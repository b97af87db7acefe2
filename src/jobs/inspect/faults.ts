/** What was found wrong on the way. An inspection goes on past it, and says at the end that it did. */
import { CorruptionError } from "../../base/errors.ts";
import { FAULTS_KEPT, type Fault } from "../../pagefile/check.ts";

export class Faults {
  readonly kept: Fault[] = [];
  count = 0;

  add(what: string, offsetBytes: number): void {
    this.count++;
    if (this.kept.length < FAULTS_KEPT) this.kept.push({ what, offsetBytes });
  }

  /** Does `work`; damage that ends it becomes a fault. */
  catching<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.add(error.what, error.offsetBytes);
      return undefined;
    }
  }
}
