/**
 * An HTTP/2 server that answers every request with an empty gRPC message, for h2load: what requests cost before anything
 * is done about them. See docs/benchmarks.md for how it is asked.
 *
 *   npm run build && node dist/bench/http2-server.js [port]
 */
import { createServer } from "node:net";
import type { HeaderList, RequestListener } from "../src/http2/exchange.ts";
import { serveHttp2 } from "../src/http2/server-connection.ts";

const HEAD: HeaderList = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];
const TRAILERS: HeaderList = [["grpc-status", "0"]];

/** Not compressed, five bytes: a response with a header of which only the revision differs is hardly more. */
const MESSAGE: readonly Uint8Array[] = [new Uint8Array(5)];

const answer: RequestListener = (stream) => ({
  data() {},
  ended() {
    stream.respond(HEAD, MESSAGE, TRAILERS);
  },
  drained() {},
  cancelled() {},
});

const NONE = new Uint8Array(0);
const port = Number(process.argv[2] ?? 0);
const server = createServer({ noDelay: true }, (socket) => {
  serveHttp2(socket, NONE, {}, answer);
});
server.listen(port, "127.0.0.1", () => {
  console.log(JSON.stringify(server.address()));
});
let before = process.cpuUsage();
process.on("SIGUSR2", () => {
  const { user, system } = process.cpuUsage(before);
  before = process.cpuUsage();
  console.log(`CPU ${((user + system) / 1000).toFixed(0)} ms since the last signal`);
});
process.on("SIGTERM", () => process.exit());
