/** The suites by the client library. `STRATA_JUDGED=etcd` puts a real etcd in the server's place, which judges it. */
import { JUDGED } from "../support/server-process.ts";
import { describeAll } from "./all.ts";
import { remoteSubject } from "./remote-client.ts";

describeAll(remoteSubject(JUDGED));
