/**
 * The suites themselves, judged by a real etcd. They mostly wait, and change seldom: those of leases, watches and upkeep
 * are for the long run, which `.ci/run` asks for.
 */
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { describeAll } from "./all.ts";
import { etcdSubject } from "./etcd-client.ts";
import { describeKv } from "./kv.suite.ts";
import { describeTxn } from "./txn.suite.ts";

describeWithPeers("the conformance suites", ["etcd", "etcdctl"], () => {
  if (process.env.STRATA_FULL === "1") {
    describeAll(etcdSubject);
  } else {
    describeKv(etcdSubject);
    describeTxn(etcdSubject);
  }
});
