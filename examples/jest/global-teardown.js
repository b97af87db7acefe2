import { rmSync } from "node:fs";

export default async function teardown() {
  const { server, dir } = globalThis.etcd;
  await server.close();
  rmSync(dir, { recursive: true, force: true });
}
