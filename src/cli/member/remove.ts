/** `member remove`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { CLUSTER_METHODS, MEMBER_REMOVE_RESPONSE } from "../../proto/tables/cluster.ts";
import { paddedIdText } from "../print/ids.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";
import { memberId } from "./member-id.ts";

export const command: Command = {
  usage: "member remove <memberID>",
  description: "Removes a member from the cluster: it stops.",
  examples: ["etcdctl member remove 8211f1d0f64f3269"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const id = memberId(args);
  return await connected(args, io, async ({ rpc, short, print }) => {
    const response = await rpc.call(CLUSTER_METHODS.remove, { id }, short());
    const cluster = paddedIdText(response.header?.clusterId ?? 0n);
    await print({
      ...messageViews(MEMBER_REMOVE_RESPONSE, response),
      simple: () => `Member ${paddedIdText(id)} removed from cluster ${cluster}\n`,
    });
    return EXIT_SUCCESS;
  });
}
