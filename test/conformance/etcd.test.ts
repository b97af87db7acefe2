/** The suites themselves, judged by a real etcd. */
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { describeAll } from "./all.ts";
import { etcdSubject } from "./etcd-client.ts";

describeWithPeers("the conformance suites", ["etcd", "etcdctl"], () => describeAll(etcdSubject));
