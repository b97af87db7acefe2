/** `member update`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { CLUSTER_METHODS, MEMBER_UPDATE_RESPONSE } from "../../proto/tables/cluster.ts";
import { paddedIdText } from "../print/ids.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";
import { memberId } from "./member-id.ts";
import { checkPeerUrls, PEER_URLS, peerUrls } from "./peer-urls.ts";

export const command: Command = {
  usage: "member update <memberID> [options]",
  description: "Gives a member other peer URLs.",
  examples: ["etcdctl member update 8211f1d0f64f3269 --peer-urls=http://10.0.0.2:2380"],
  flags: [PEER_URLS],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const id = memberId(args);
  const urls = peerUrls(args);
  return await connected(args, io, async ({ rpc, short, print }) => {
    await checkPeerUrls(urls);
    const request = { id, peerUrls: urls };
    const response = await rpc.call(CLUSTER_METHODS.update, request, short());
    const cluster = paddedIdText(response.header?.clusterId ?? 0n);
    await print({
      ...messageViews(MEMBER_UPDATE_RESPONSE, response),
      simple: () => `Member ${paddedIdText(id)} updated in cluster ${cluster}\n`,
    });
    return EXIT_SUCCESS;
  });
}
