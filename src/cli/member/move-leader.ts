/** `move-leader`: only the leader does it, so it has to be among the endpoints. */
import { reasonOf } from "../../base/errors.ts";
import { parseGoUint } from "../../base/go-int.ts";
import type { Rpc } from "../../client/rpc.ts";
import type { CallSettings } from "../../client/transport/transport.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { MAINTENANCE_METHODS, MOVE_LEADER_RESPONSE } from "../../proto/tables/maintenance.ts";
import { exactly } from "../arguments.ts";
import { idText } from "../print/ids.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";
import { sharedLimit } from "../shared-limit.ts";

export const command: Command = {
  usage: "move-leader <transferee-member-id>",
  description:
    "Transfers the leadership to another member. The leader must be among the endpoints.",
  examples: ["etcdctl --endpoints=m1:2379,m2:2379,m3:2379 move-leader 8211f1d0f64f3269"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const targetId = targetOf(args);
  return await connected(args, io, async ({ rpc, endpoints, short, print }) => {
    const left = sharedLimit(short());
    const trimmed = endpoints.map((endpoint) => endpoint.trim());
    const leader = await leaderAmong(trimmed, rpc, left);
    const settings = { ...left(), endpoint: leader.endpoint };
    const response = await rpc.call(MAINTENANCE_METHODS.moveLeader, { targetId }, settings);
    await print({
      ...messageViews(MOVE_LEADER_RESPONSE, response),
      simple: () => `Leadership transferred from ${idText(leader.id)} to ${idText(targetId)}\n`,
    });
    return EXIT_SUCCESS;
  });
}

function targetOf(args: Arguments): bigint {
  const [text = ""] = exactly(1, args, "move-leader command needs 1 argument");
  try {
    return parseGoUint(text, 16);
  } catch (error) {
    throw new Failure(EXIT_BAD_ARGS, reasonOf(error));
  }
}

/** One after another, until one says that it is the leader. @throws Failure 128 if none does */
async function leaderAmong(
  endpoints: readonly string[],
  rpc: Rpc,
  left: () => CallSettings,
): Promise<{ endpoint: string; id: bigint }> {
  for (const endpoint of endpoints) {
    const settings = { ...left(), endpoint };
    const { header, leader } = await rpc.call(MAINTENANCE_METHODS.status, {}, settings);
    if (leader === header?.memberId) return { endpoint, id: leader };
  }
  throw new Failure(EXIT_BAD_ARGS, `no leader endpoint given at [${endpoints.join(" ")}]`);
}
