/** `member promote`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { CLUSTER_METHODS, MEMBER_PROMOTE_RESPONSE } from "../../proto/tables/cluster.ts";
import { paddedIdText } from "../print/ids.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";
import { memberId } from "./member-id.ts";

export const command: Command = {
  usage: "member promote <memberID>",
  description: "Makes a learner that has caught up a member that votes.",
  examples: ["etcdctl member promote 8211f1d0f64f3269"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const id = memberId(args);
  return await connected(args, io, async ({ rpc, short, print }) => {
    const response = await rpc.call(CLUSTER_METHODS.promote, { id }, short());
    const cluster = paddedIdText(response.header?.clusterId ?? 0n);
    await print({
      ...messageViews(MEMBER_PROMOTE_RESPONSE, response),
      simple: () => `Member ${paddedIdText(id)} promoted in cluster ${cluster}\n`,
    });
    return EXIT_SUCCESS;
  });
}
