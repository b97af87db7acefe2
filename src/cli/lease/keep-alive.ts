/** `lease keep-alive ID` */
import { keepAliveOnce } from "../../client/lease/keep-alive-once.ts";
import { KeepAlives } from "../../client/lease/keep-alives.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { leaseIdText } from "../print/ids.ts";
import { connected, type Session } from "../session.ts";
import { calling, keepAliveViews, leaseArgument } from "./answers.ts";

export const command: Command = {
  usage: "lease keep-alive [options] <leaseID>",
  description:
    "Keeps a lease alive until it is stopped, and says so each time: three times in the lease's life. It ends when the " +
    "lease is gone, which is no failure.",
  examples: [
    "etcdctl lease keep-alive 32695410dcc0ca06",
    "etcdctl lease keep-alive --once 32695410dcc0ca06",
  ],
  flags: [
    {
      name: "once",
      kind: "bool",
      default: "false",
      help: "give it its whole time once more, and end",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [text, ...more] = args.positionals;
  if (text === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "lease keep-alive command needs lease ID as argument");
  }
  const id = leaseArgument(text);
  const isOnce = args.flags.bool("once");
  return await connected(args, io, async (session) => {
    if (isOnce) await session.print(keepAliveViews(await calling(keepAliveOnce(session.rpc, id))));
    else await untilItIsGone(session, id);
    return EXIT_SUCCESS;
  });
}

async function untilItIsGone({ rpc, flags, print, io }: Session, id: bigint): Promise<void> {
  // etcd's client gives the first answer a second more than the connection.
  const firstAnswerMs = flags.number("dial-timeout") + 1000;
  const keepAlives = new KeepAlives(rpc, { firstAnswerMs });
  try {
    for await (const response of keepAlives.keep(id)) await print(keepAliveViews(response));
  } finally {
    await keepAlives.close();
  }
  if (flags.text("write-out") === "simple") {
    io.stdout.write(`lease ${leaseIdText(id)} expired or revoked.\n`);
  }
}
