/** One server for the whole run, for programs that want an endpoint. Workers find it in their environment. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtcdServer } from "strata/server";

export default async function setup() {
  const dir = mkdtempSync(join(tmpdir(), "etcd-"));
  const server = await EtcdServer.start({
    flags: {
      "data-dir": dir,
      "listen-client-urls": "http://127.0.0.1:0", // a free port
      "unsafe-no-fsync": true, // its data need not outlive a power cut
    },
  });
  process.env.ETCD_ENDPOINT = server.clientUrls[0];
  globalThis.etcd = { server, dir };
}
