/** `member add`. */

import { quoted } from "../../base/quote.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import {
  CLUSTER_METHODS,
  MEMBER_ADD_RESPONSE,
  type MemberAddResponse,
} from "../../proto/tables/cluster.ts";
import { paddedIdText } from "../print/ids.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";
import { checkPeerUrls, PEER_URLS, peerUrls } from "./peer-urls.ts";

export const command: Command = {
  usage: "member add <memberName> [options]",
  description:
    "Adds a member to the cluster, and prints the environment that it is to be started with.",
  examples: ["etcdctl member add m2 --peer-urls=http://10.0.0.2:2380"],
  flags: [
    PEER_URLS,
    {
      name: "learner",
      kind: "bool",
      default: "false",
      help: "the new member learns, and does not vote until it is promoted",
    },
  ],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const name = nameOf(args);
  const urls = peerUrls(args);
  return await connected(args, io, async ({ rpc, short, print }) => {
    await checkPeerUrls(urls);
    const request = { peerUrls: urls, isLearner: args.flags.bool("learner") };
    const response = await rpc.call(CLUSTER_METHODS.add, request, short());
    await print({
      ...messageViews(MEMBER_ADD_RESPONSE, response),
      simple: () => `${addedLine(response)}\n${environment(name, urls.join(","), response)}`,
    });
    return EXIT_SUCCESS;
  });
}

function nameOf({ positionals }: Arguments): string {
  const [name, ...more] = positionals;
  if (name === undefined) throw new Failure(EXIT_BAD_ARGS, "member name not provided");
  if (more.length === 0) return name;
  const meant = positionals
    .filter((word) => word.toLowerCase().startsWith("http"))
    .map((word) => `, did you mean --peer-urls=${word}`);
  throw new Failure(EXIT_BAD_ARGS, `too many arguments${meant.join("")}`);
}

function addedLine({ header, member }: MemberAddResponse): string {
  const ids = [member?.id ?? 0n, header?.clusterId ?? 0n].map(paddedIdText);
  return `Member ${ids[0]} added to cluster ${ids[1]}\n`;
}

/** The cluster knows the new member's name only when it has started. */
function environment(name: string, urls: string, { member, members }: MemberAddResponse): string {
  const cluster = members.flatMap((one) =>
    one.peerUrls.map((url) => `${one.id === member?.id ? name : one.name}=${url}`),
  );
  const variables = {
    ETCD_NAME: name,
    ETCD_INITIAL_CLUSTER: cluster.join(","),
    ETCD_INITIAL_ADVERTISE_PEER_URLS: urls,
    ETCD_INITIAL_CLUSTER_STATE: "existing",
  };
  return Object.entries(variables)
    .map(([variable, value]) => `${variable}=${quoted(Buffer.from(value))}\n`)
    .join("");
}
