/** `compaction REVISION`. */
import { reasonOf } from "../../base/errors.ts";
import { parseGoInt } from "../../base/go-int.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "compaction [options] <revision>",
  description:
    "Gives up the history below a revision: reads and watches below it fail from now on.\n" +
    "The disk space is free for new data afterwards; `defrag` gives it back.",
  examples: ["etcdctl compaction 1234", "etcdctl compaction --physical 1234"],
  flags: [
    {
      name: "physical",
      kind: "bool",
      default: "false",
      help: "wait until the old revisions are removed on disk",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [text] = args.positionals;
  if (text === undefined || args.positionals.length > 1) {
    throw new Failure(EXIT_BAD_ARGS, "compaction command needs 1 argument");
  }
  const revision = revisionOf(text);
  return await connected(args, io, async ({ rpc, short, flags }) => {
    const physical = flags.bool("physical");
    await rpc.call(KV_METHODS.compact, { revision, physical }, short());
    io.stdout.write(`compacted revision ${revision}\n`);
    return EXIT_SUCCESS;
  });
}

/** Not 128, unlike other arguments: etcdctl's way. */
function revisionOf(text: string): bigint {
  try {
    return parseGoInt(text, 10);
  } catch (error) {
    throw new Failure(EXIT_ERROR, reasonOf(error));
  }
}
