/** Against Node's own client. */

import { type ClientHttp2Session, connect } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { HeaderList, RequestListener } from "./exchange.ts";
import type { Http2Options } from "./limits.ts";
import { type ServerConnection, serveHttp2 } from "./server-connection.ts";

const HEAD: HeaderList = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];
const TRAILERS: HeaderList = [["grpc-status", "0"]];

interface Rig {
  readonly port: number;
  readonly connections: ServerConnection[];
  readonly client: ClientHttp2Session;
}

async function rig(onRequest: RequestListener, options: Partial<Http2Options> = {}): Promise<Rig> {
  const connections: ServerConnection[] = [];
  const server: Server = createServer((socket: Socket) => {
    connections.push(serveHttp2(socket, new Uint8Array(0), options, onRequest));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(async () => {
    client.destroy();
    for (const connection of connections) connection.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port, connections, client };
}

/** Answers with what was sent. */
const echo: RequestListener = (stream) => {
  const parts: Uint8Array[] = [];
  return {
    data: (bytes, start, end) => void parts.push(bytes.subarray(start, end)),
    ended: () => stream.respond(HEAD, parts, TRAILERS),
    drained: () => {},
    cancelled: () => {},
  };
};

interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

function ask(client: ClientHttp2Session, path: string, body: Uint8Array): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = client.request({ ":method": "POST", ":path": path, te: "trailers" });
    let status: number | undefined;
    let trailers = {};
    const parts: Buffer[] = [];
    request.on("response", (head) => {
      status = head[":status"];
    });
    request.on("trailers", (fields) => {
      trailers = { ...fields };
    });
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("error", reject);
    request.on("end", () => resolve({ status, trailers, body: Buffer.concat(parts) }));
    request.end(body);
  });
}

test.each([0, 1, 16_384, 16_385, 100_000, 3_000_000])(
  "a body of %i bytes goes there and back",
  async (bytes) => {
    const { client, connections } = await rig(echo);
    const body = Buffer.alloc(bytes, "strata");
    for (let round = 0; round < 3; round++) {
      const answer = await ask(client, "/a/b", body);
      expect(answer.status).toBe(200);
      expect(answer.body.equals(body)).toBe(true);
      expect(answer.trailers).toMatchObject({ "grpc-status": "0" });
    }
    expect(connections[0]?.openStreams).toBe(0);
    expect(connections[0]?.bufferedBytes).toBe(0);
  },
);
