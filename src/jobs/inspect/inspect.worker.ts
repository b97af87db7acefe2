import { type Outcome, outcomeOf } from "../outcome.ts";
import type { JobTask } from "../pool.ts";
import { ProgressWriter } from "../progress.ts";
import { type InspectInput, type InspectOutput, inspectFile } from "./inspect.ts";

export default ({ input, cells }: JobTask<InspectInput>): Promise<Outcome<InspectOutput>> =>
  outcomeOf(() => inspectFile(input, new ProgressWriter(cells)));
