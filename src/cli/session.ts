/** What every command that talks to a server begins with: the global flags, and a client made of them. */
import type { Rpc } from "../client/rpc.ts";
import type { CallSettings, Transport } from "../client/transport/transport.ts";
import type { TransportOptions } from "../client/transport/transport-options.ts";
import type { Arguments } from "../console/command.ts";
import { EXIT_BAD_CONNECTION } from "../console/exit-codes.ts";
import { explain, Failure } from "../console/failure.ts";
import type { FlagValues } from "../console/flags.ts";
import type { Io } from "../console/io.ts";
import { clientConfig } from "./client-config.ts";
import { withEnvironment } from "./environment.ts";
import { ETCDCTL_GLOBAL_FLAGS } from "./global-flags.ts";
import { print, type Views } from "./print/print.ts";

export interface Session {
  readonly io: Io;
  readonly rpc: Rpc;
  /** As given, spaces included: `endpoint` and `defrag` print them so. */
  readonly endpoints: readonly string[];
  /** `--hex` */
  readonly hex: boolean;
  /** With what the environment says about the global ones. */
  readonly flags: FlagValues;
  /** What the client was made with. */
  readonly options: TransportOptions;
  /** For one short call: `--command-timeout`, from now on. */
  short(): CallSettings;
  /** In the form that `--write-out` asks for. @throws Failure if that is not among the views */
  print(views: Views): Promise<void>;
}

export interface SessionOptions {
  /** Variables beside the global flags' that the command reads: nobody is warned of them. */
  readonly alsoKnown?: readonly string[];
}

export interface ClientTransport extends Transport {
  /** @see Http2Transport.authenticate */
  authenticate(limits: Pick<CallSettings, "timeoutMs">): Promise<void>;
}

export type Connect = (options: TransportOptions) => ClientTransport;

const connectOf = new WeakMap<Io, Connect>();

/** Commands with these surroundings make their clients so, and not over HTTP/2: a server in the test's own hands. */
export function connectWith(io: Io, connect: Connect): void {
  connectOf.set(io, connect);
}

/**
 * Runs work with a client, which is closed in the end. The connection is made by the first call; with credentials, a
 * token is fetched before.
 * @throws Failure for flags and variables that no client can be made of, and for credentials that are not taken
 */
export async function connected(
  { flags: typed }: Arguments,
  io: Io,
  work: (session: Session) => Promise<number>,
  { alsoKnown }: SessionOptions = {},
): Promise<number> {
  const flags = withEnvironment(typed, ETCDCTL_GLOBAL_FLAGS, io, alsoKnown);
  const debug = flags.bool("debug") ? await import("./debug.ts") : undefined;
  debug?.showFlags(flags, io);
  const options = await clientConfig(flags, io);
  const { Rpc } = await import("../client/rpc.ts");
  const plain = await openTransport(io, options);
  const transport = debug === undefined ? plain : new debug.LoggedTransport(plain, options, io);
  try {
    await authenticated(transport, flags.number("dial-timeout"));
    return await work({
      io,
      rpc: new Rpc(transport),
      endpoints: flags.list("endpoints"),
      hex: flags.bool("hex"),
      flags,
      options,
      short: () => ({ timeoutMs: flags.number("command-timeout") }),
      print: (views) => print(io, flags.text("write-out"), views),
    });
  } finally {
    await transport.close();
  }
}

/** One more client, for a command that talks to two clusters. Whoever opens it closes it. */
export async function openTransport(io: Io, options: TransportOptions): Promise<ClientTransport> {
  const connect = connectOf.get(io);
  if (connect !== undefined) return connect(options);
  const { Http2Transport } = await import("../client/transport/http2-transport.ts");
  return new Http2Transport(options);
}

/** @throws Failure 2 */
export async function authenticated(transport: ClientTransport, timeoutMs: number): Promise<void> {
  try {
    await transport.authenticate({ timeoutMs });
  } catch (error) {
    const why = explain(error);
    if (why === undefined) throw error;
    throw new Failure(EXIT_BAD_CONNECTION, why, { cause: error });
  }
}
