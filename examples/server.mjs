import { EtcdServer } from "strata/server";

const server = await EtcdServer.start({
  flags: { "data-dir": "default.etcd", "listen-client-urls": "http://127.0.0.1:0" },
});
console.log(server.clientUrls); // [ 'http://127.0.0.1:…' ]: for any client of etcd
await server.close();
