/**
 * The suites by the client library. `STRATA_JUDGED=etcd` puts a real etcd in the server's place, which judges it. Those
 * that mostly wait, and that the suites over gRPC wait for already, are for the long run.
 */
import { JUDGED } from "../support/server-process.ts";
import { describeAll } from "./all.ts";
import { describeKv } from "./kv.suite.ts";
import { remoteSubject } from "./remote-client.ts";
import { describeTxn } from "./txn.suite.ts";

const subject = remoteSubject(JUDGED);
if (process.env.STRATA_FULL === "1" || JUDGED === "etcd") {
  describeAll(subject);
} else {
  describeKv(subject);
  describeTxn(subject);
}
