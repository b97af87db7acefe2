/** `member list`. */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_FEATURE, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { tableOf } from "../../console/table.ts";
import { CLUSTER_METHODS, MEMBER_LIST_RESPONSE, type Member } from "../../proto/tables/cluster.ts";
import { field, headerFields, quotedField } from "../print/fields.ts";
import { idText } from "../print/ids.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";

export const command: Command = {
  usage: "member list",
  description:
    "Lists all members of the cluster. In simple form, the columns of the table with commas between them:\n" +
    "ID, Status, Name, Peer Addrs, Client Addrs, Is Learner.",
  examples: ["etcdctl member list -w table"],
  flags: [
    {
      name: "consistency",
      kind: "string",
      default: "l",
      help: "Linearizable(l): as the whole cluster has it, or Serializable(s): as the asked member has it",
      values: ["l", "s"],
    },
  ],
  run,
};

const HEADER = ["ID", "Status", "Name", "Peer Addrs", "Client Addrs", "Is Learner"];

async function run(args: Arguments, io: Io): Promise<number> {
  const linearizable = isLinearizable(args.flags.text("consistency"));
  return await connected(args, io, async ({ rpc, short, print }) => {
    const response = await rpc.call(CLUSTER_METHODS.list, { linearizable }, short());
    const rows = response.members.map(memberRow);
    await print({
      ...messageViews(MEMBER_LIST_RESPONSE, response),
      simple: () => rows.map((row) => `${row.join(", ")}\n`),
      table: () => tableOf(HEADER, rows),
      fields: () => [headerFields(response.header), ...response.members.map(memberFields)],
    });
    return EXIT_SUCCESS;
  });
}

/** @throws Failure 4 */
function isLinearizable(consistency: string): boolean {
  if (consistency === "l" || consistency === "s") return consistency === "l";
  throw new Failure(EXIT_BAD_FEATURE, `unknown consistency flag ${JSON.stringify(consistency)}`);
}

/** A member that has not started yet has not said its name. */
function memberRow({ id, name, peerUrls, clientUrls, isLearner }: Member): string[] {
  const status = name === "" ? "unstarted" : "started";
  return [idText(id), status, name, peerUrls.join(","), clientUrls.join(","), String(isLearner)];
}

function memberFields({ id, name, peerUrls, clientUrls, isLearner }: Member): string {
  const lines = [
    field("ID", id),
    quotedField("Name", name),
    ...peerUrls.map((url) => quotedField("PeerURL", url)),
    ...clientUrls.map((url) => quotedField("ClientURL", url)),
    field("IsLearner", isLearner),
  ];
  return `${lines.join("")}\n`;
}
