/** The suites over gRPC. `STRATA_JUDGED=etcd` has a real etcd pass them, which judges the adapter. */
import { JUDGED } from "../support/server-process.ts";
import { describeAll } from "./all.ts";
import { serverSubject } from "./server-client.ts";
import { describeWire } from "./wire.suite.ts";

describeAll(serverSubject(JUDGED));
describeWire(JUDGED);
