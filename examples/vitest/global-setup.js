/** One server for the whole run, for programs that want an endpoint. It is asked for with `inject("etcd")`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtcdServer } from "strata/server";

export default async function setup({ provide }) {
  const dir = mkdtempSync(join(tmpdir(), "etcd-"));
  const server = await EtcdServer.start({
    flags: {
      "data-dir": dir,
      "listen-client-urls": "http://127.0.0.1:0", // a free port
      "unsafe-no-fsync": true, // its data need not outlive a power cut
    },
  });
  provide("etcd", server.clientUrls[0]);
  return async () => {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  };
}
