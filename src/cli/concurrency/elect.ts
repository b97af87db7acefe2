/** `elect NAME [PROPOSAL]` */
import { rawBytes } from "../../base/raw-text.ts";
import { Election, ElectionView } from "../../client/concurrency/election.ts";
import { Session as LeaseSession } from "../../client/concurrency/session.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { connected, type Session } from "../session.ts";
import { aborted, rangeViews, unlessEnded, withBase } from "./held.ts";

export const command: Command = {
  usage: "elect [options] <election-name> [proposal]",
  description:
    "Stands for election with a proposal, and is the leader until it is stopped (SIGINT, SIGTERM). With --listen, tells\n" +
    "who leads, and whenever that changes. When a leader is killed, the next one leads after 60 seconds.",
  examples: ["etcdctl elect master node1", "etcdctl elect --listen master"],
  flags: [
    {
      name: "listen",
      short: "l",
      kind: "bool",
      default: "false",
      help: "do not stand, but tell who leads",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [name, proposal, ...more] = args.positionals;
  const isListening = args.flags.bool("listen");
  if (name === undefined || more.length > 0) {
    throw bad("elect takes one election name argument and an optional proposal argument");
  }
  if (proposal === undefined && !isListening) throw bad("no proposal argument but -l not set");
  if (proposal !== undefined && isListening) throw bad("proposal given but -l is set");
  const election = rawBytes(name);
  return await connected(args, io, async (session) => {
    if (proposal === undefined) await listen(session, election);
    else await campaign(session, election, rawBytes(proposal));
    return EXIT_SUCCESS;
  });
}

function listen(session: Session, name: Uint8Array): Promise<void> {
  return withBase(session, (base) =>
    session.io.interruptible(async (signal) => {
      const leaders = new ElectionView(base, name).observe({ signal });
      for await (const leader of leaders) await session.print(rangeViews(leader, session));
    }),
  );
}

function campaign(session: Session, name: Uint8Array, proposal: Uint8Array): Promise<void> {
  return withBase(session, async (base) => {
    const candidate = await LeaseSession.open(base);
    await session.io.interruptible(async (stop) => {
      const election = new Election(candidate, name);
      const { lost } = candidate;
      const ends = { stop, lost, lostText: "elect: session expired" };
      await unlessEnded(ends, election.campaign(proposal, { signal: stop }));
      const range = session.rpc.call(KV_METHODS.range, { key: election.key }, { signal: stop });
      await session.print(rangeViews(await unlessEnded(ends, range), session));
      await aborted(stop, lost);
      if (!stop.aborted) throw new Failure(EXIT_ERROR, ends.lostText);
      await election.resign();
    });
  });
}

function bad(what: string): Failure {
  return new Failure(EXIT_BAD_ARGS, what);
}
