/** The hot services on a port of this machine, without anything else that a server has. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Member } from "../../src/engine/member.ts";
import { GrpcServer } from "../../src/grpc/grpc-server.ts";
import { serveHttp2 } from "../../src/http2/server-connection.ts";
import { hotServices } from "../../src/server/services/hot.ts";
import { ServiceContext, type ServiceOptions } from "../../src/server/services/service-context.ts";
import { statusOf } from "../../src/server/status-of.ts";

export interface HotServer {
  readonly port: number;
  readonly grpc: GrpcServer;
  close(): Promise<void>;
}

const NONE = new Uint8Array(0);

export async function serveHot(
  member: Member,
  options: ServiceOptions = {},
  port = 0,
): Promise<HotServer> {
  const context = new ServiceContext(member, options);
  const grpc = new GrpcServer({
    services: hotServices(context),
    maxReceiveBytes: 2 * 1024 * 1024,
    statusOf: (error) => statusOf(error),
  });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serveHttp2(socket, NONE, {}, grpc.onRequest);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    grpc,
    close: async () => {
      context.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
