import type { DefragInput, DefragReport } from "./defrag.ts";
import { defrag } from "./defrag-work.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";
import type { JobTask } from "./pool.ts";
import { ProgressWriter } from "./progress.ts";

export default ({ input, cells }: JobTask<DefragInput>): Promise<Outcome<DefragReport>> =>
  outcomeOf(() => defrag(input, new ProgressWriter(cells)));
