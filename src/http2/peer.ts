/** Who is at the other end of a socket. */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Peer } from "./exchange.ts";

export function peerOf(socket: Duplex): Peer {
  return {
    remoteAddress: socket instanceof Socket ? addressOf(socket) : "",
    certificateCommonName: socket instanceof TLSSocket ? commonNameOf(socket) : undefined,
  };
}

function addressOf(socket: Socket): string {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return socket.localAddress ?? "@";
  return remoteAddress.includes(":")
    ? `[${remoteAddress}]:${remotePort}`
    : `${remoteAddress}:${remotePort}`;
}

function commonNameOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const name: unknown = socket.getPeerCertificate()?.subject?.CN;
  return typeof name === "string" ? name : undefined;
}
