/** What every command that talks to a server begins with: the global flags, and a client made of them. */
import type { Rpc } from "../client/rpc.ts";
import type { TransportOptions } from "../client/transport/http2-transport.ts";
import type { CallSettings, Transport } from "../client/transport/transport.ts";
import type { Arguments } from "../console/command.ts";
import type { Io } from "../console/io.ts";
import { print, type Views } from "./print/print.ts";

export interface Session {
  readonly io: Io;
  readonly rpc: Rpc;
  /** As given: `endpoint` and `defrag` print them so. */
  readonly endpoints: readonly string[];
  /** `--hex` */
  readonly hex: boolean;
  /** For one short call: `--command-timeout`, from now on. */
  short(): CallSettings;
  /** In the form that `--write-out` asks for. @throws Failure if that is not among the views */
  print(views: Views): Promise<void>;
}

export type Connect = (options: TransportOptions) => Transport;

const connectOf = new WeakMap<Io, Connect>();

/** Commands with these surroundings make their clients so, and not over HTTP/2: a server in the test's own hands. */
export function connectWith(io: Io, connect: Connect): void {
  connectOf.set(io, connect);
}

/**
 * Runs work with a client, which is closed in the end. The connection is made by the first call.
 * @throws Failure for flags and variables that no client can be made of
 */
export async function connected(
  { flags }: Arguments,
  io: Io,
  work: (session: Session) => Promise<number>,
): Promise<number> {
  const { Rpc } = await import("../client/rpc.ts");
  const endpoints = flags.given("endpoints")
    ? flags.list("endpoints")
    : (io.env.ETCDCTL_ENDPOINTS?.split(",") ?? flags.list("endpoints"));
  const connect = connectOf.get(io) ?? (await overHttp2());
  const transport = connect({ endpoints });
  try {
    return await work({
      io,
      rpc: new Rpc(transport),
      endpoints,
      hex: flags.bool("hex"),
      short: () => ({ timeoutMs: flags.number("command-timeout") }),
      print: (views) => print(io, flags.text("write-out"), views),
    });
  } finally {
    await transport.close();
  }
}

async function overHttp2(): Promise<Connect> {
  const { Http2Transport } = await import("../client/transport/http2-transport.ts");
  return (options) => new Http2Transport(options);
}
