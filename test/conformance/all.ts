import type { Subject } from "./client.ts";
import { describeKv } from "./kv.suite.ts";
import { describeTxn } from "./txn.suite.ts";

/** Every suite. */
export function describeAll(subject: Subject): void {
  describeKv(subject);
  describeTxn(subject);
}
