/** What sessions, locks and elections are made of. A client hands in its own. */
import type { Clock } from "../../base/clock.ts";
import type { KeepAlives } from "../lease/keep-alives.ts";
import type { Rpc } from "../rpc.ts";
import type { Watches } from "../watch/watches.ts";

export interface ConcurrencyBase {
  readonly rpc: Rpc;
  readonly watches: Watches;
  readonly keepAlives: KeepAlives;
  /** That of the keep-alives. Default: the system's. */
  readonly clock?: Clock | undefined;
}

/** That it is no longer wanted; nothing more: it never aborts. */
export const NEVER: AbortSignal = new AbortController().signal;
