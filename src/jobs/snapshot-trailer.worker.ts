import { type Outcome, outcomeOf } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";
import { type TrailerInput, type TrailerStatus, verifyTrailer } from "./snapshot-trailer.ts";

export default ({ input, cells }: JobTask<TrailerInput>): Promise<Outcome<TrailerStatus>> =>
  outcomeOf(() => verifyTrailer(input, new ProgressWriter(cells)));
