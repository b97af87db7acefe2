/** `make-mirror`. */

import { systemClock } from "../../base/clock.ts";
import { rawBytes } from "../../base/raw-text.ts";
import type { TransportOptions } from "../../client/transport/transport-options.ts";
import type { Arguments, Command } from "../../console/command.ts";
import {
  EXIT_BAD_ARGS,
  EXIT_ERROR,
  EXIT_OF_SIGNAL,
  type StopSignal,
} from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec } from "../../console/flags.ts";
import type { Io } from "../../console/io.ts";
import { exactly } from "../arguments.ts";
import { credentialsOf, tlsOptions } from "../client-config.ts";
import {
  authenticated,
  type ClientTransport,
  connected,
  openTransport,
  type Session,
} from "../session.ts";
import { MirrorDisplay } from "./mirror-display.ts";

const text = (name: string, help: string): FlagSpec => ({
  name,
  kind: "string",
  default: "",
  help,
});

export const command: Command = {
  usage: "make-mirror [options] <destination>",
  description:
    "Copies keys to another cluster, and goes on with what changes, until it is stopped.\n" +
    "Prints how many keys it has put and deleted, every 30 seconds.",
  examples: [
    "etcdctl make-mirror backup.example.com:2379",
    "etcdctl make-mirror --prefix=app/ --dest-prefix=copy/ backup.example.com:2379",
  ],
  flags: [
    text("prefix", "prefix of the keys to copy; empty: all keys"),
    text("dest-prefix", "prefix that they have there, in place of --prefix"),
    {
      name: "no-dest-prefix",
      kind: "bool",
      default: "false",
      help: "leave --prefix away from the keys there",
    },
    {
      name: "rev",
      kind: "int64",
      default: "0",
      help: "copy only what changes from this revision on; 0: what there is, and then what changes",
    },
    {
      name: "max-txn-ops",
      kind: "int",
      default: "128",
      help: "most keys that are written in one transaction",
    },
    text("dest-cert", "TLS certificate file of this client, for the destination"),
    text("dest-key", "its key file"),
    text("dest-cacert", "CA bundle that certificates of TLS servers there are verified with"),
    {
      name: "dest-insecure-transport",
      kind: "bool",
      default: "true",
      help: "no transport security for connections to the destination",
    },
    text("dest-user", "username[:password] there (asked for if there is no password)"),
    text("dest-password", "password there; --dest-user is taken whole then"),
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [endpoint = ""] = exactly(1, args, "make-mirror takes one destination argument");
  const prefixes = prefixesOf(args);
  const maxTxnOps = maxTxnOpsOf(args);
  return await connected(args, io, async (session) => {
    const transport = await destination(args, endpoint, session);
    try {
      return await io.interruptible(async (signal) => {
        const display = new MirrorDisplay(io, systemClock, signal);
        const { Rpc } = await import("../../client/rpc.ts");
        const { mirror } = await import("../../client/mirror/mirror.ts");
        try {
          await mirror(session.rpc, new Rpc(transport), {
            ...prefixes,
            startRevision: args.flags.int64("rev"),
            maxTxnOps,
            signal,
            onProgress: (progress) => display.show(progress),
          });
        } finally {
          display.end();
        }
        return EXIT_OF_SIGNAL[signal.reason as StopSignal];
      });
    } finally {
      await transport.close();
    }
  });
}

interface Prefixes {
  readonly prefix: Uint8Array;
  readonly destPrefix: Uint8Array;
}

/** The keys stay as they are, unless something is said about them. @throws Failure 128 */
function prefixesOf({ flags }: Arguments): Prefixes {
  const prefix = rawBytes(flags.text("prefix"));
  const destPrefix = rawBytes(flags.text("dest-prefix"));
  const cut = flags.bool("no-dest-prefix");
  if (cut && destPrefix.length > 0) {
    const what =
      "`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one";
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  return { prefix, destPrefix: cut || destPrefix.length > 0 ? destPrefix : prefix };
}

function maxTxnOpsOf({ flags }: Arguments): number {
  const count = flags.number("max-txn-ops");
  if (count >= 0) return count;
  const why = `strconv.ParseUint: parsing "${count}": invalid syntax`;
  throw new Failure(EXIT_ERROR, `invalid argument "${count}" for "--max-txn-ops" flag: ${why}`);
}

/** A client of the other cluster: what is not said about it is as for the first. */
async function destination(
  { flags }: Arguments,
  endpoint: string,
  { io, flags: globals, options }: Session,
): Promise<ClientTransport> {
  const credentials = await credentialsOf(
    flags.text("dest-user"),
    flags.text("dest-password"),
    io,
    "Destination Password: ",
  );
  const tls = await tlsOptions({
    cert: flags.text("dest-cert"),
    key: flags.text("dest-key"),
    cacert: flags.text("dest-cacert"),
    insecureTransport: flags.bool("dest-insecure-transport"),
    insecureSkipVerify: false,
  });
  const made: TransportOptions = { ...options, endpoints: [endpoint.trim()], tls, credentials };
  const transport = await openTransport(io, made);
  try {
    await authenticated(transport, globals.number("dial-timeout"));
  } catch (error) {
    await transport.close();
    throw error;
  }
  return transport;
}
