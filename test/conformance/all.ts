import type { Subject } from "./client.ts";
import { describeKv } from "./kv.suite.ts";
import { describeLease } from "./lease.suite.ts";
import { describeMaintenance } from "./maintenance.suite.ts";
import { describeTxn } from "./txn.suite.ts";
import { describeWatch } from "./watch.suite.ts";

/** Every suite. */
export function describeAll(subject: Subject): void {
  describeKv(subject);
  describeTxn(subject);
  describeWatch(subject);
  describeLease(subject);
  describeMaintenance(subject);
}
