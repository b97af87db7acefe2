/** `watch KEY [RANGE_END] [-- COMMAND]` */
import { Watches } from "../../client/watch/watches.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_INTERRUPTED } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { connected } from "../session.ts";
import { interactive } from "./interactive.ts";
import { show } from "./show.ts";
import {
  keysOfEnvironment,
  WATCH_FLAGS,
  WATCH_VARIABLES,
  watchAsk,
  watchLine,
} from "./watch-line.ts";

export const command: Command = {
  usage: "watch [options] [key or prefix] [range_end] [--] [exec-command arg1 arg2 ...]",
  description:
    "Tells what happens to a key, to the keys with a prefix, or to a range of keys, until it is stopped. It goes on\n" +
    "where it was when the server was away for a while.\n" +
    "A command behind `--` is run for each event, with ETCD_WATCH_REVISION, ETCD_WATCH_EVENT_TYPE, ETCD_WATCH_KEY and\n" +
    "ETCD_WATCH_VALUE in its environment, the last three in quotes.\n" +
    "The key may also come by ETCDCTL_WATCH_KEY and ETCDCTL_WATCH_RANGE_END. With --interactive, each line of the\n" +
    "standard input is `watch` with its arguments, or `progress`.",
  examples: [
    "etcdctl watch foo",
    "etcdctl watch --prefix --rev=5 --prev-kv config/",
    "etcdctl watch foo -- sh -c 'echo $ETCD_WATCH_EVENT_TYPE $ETCD_WATCH_KEY'",
    "etcdctl watch -i",
  ],
  flags: WATCH_FLAGS,
  run,
};

/** With etcd's own: a member without a leader tells nothing, so it is to end the watch instead. */
async function run(args: Arguments, io: Io): Promise<number> {
  const fromEnvironment = keysOfEnvironment(io);
  if (args.flags.bool("interactive")) {
    return await withWatches(args, io, (session, watches) =>
      interactive(session, watches, fromEnvironment),
    );
  }
  const line = watchLine(args, fromEnvironment);
  const ask = watchAsk(line, args);
  return await withWatches(args, io, async (session, watches) => {
    await show(session, watches.open(ask), line.exec);
    throw new Failure(EXIT_INTERRUPTED, "watch is canceled by the server");
  });
}

function withWatches(
  args: Arguments,
  io: Io,
  work: (session: Parameters<typeof show>[0], watches: Watches) => Promise<never>,
): Promise<number> {
  return connected(
    args,
    io,
    async (session) => {
      const watches = new Watches(session.rpc, { requireLeader: true });
      try {
        return await work(session, watches);
      } finally {
        await watches.close();
      }
    },
    { alsoKnown: WATCH_VARIABLES },
  );
}
