/** What the commands of `downgrade` have in common. */
import type { Arguments } from "../../console/command.ts";
import { EXIT_BAD_ARGS, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { DOWNGRADE_RESPONSE, MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { messageViews } from "../print/message-views.ts";
import { connected } from "../session.ts";

export const DowngradeAction = { validate: 0, enable: 1, cancel: 2 } as const;

/** `3.5`, say. @throws Failure 128 */
export function targetVersion({ positionals }: Arguments): string {
  const [version, ...more] = positionals;
  if (version === undefined) throw new Failure(EXIT_BAD_ARGS, "TARGET_VERSION not provided");
  if (more.length > 0) throw new Failure(EXIT_BAD_ARGS, "too many arguments");
  if (version === "") throw new Failure(EXIT_BAD_ARGS, "target version not provided");
  return version;
}

export async function downgrade(
  args: Arguments,
  io: Io,
  action: keyof typeof DowngradeAction,
  version: string,
): Promise<number> {
  return await connected(args, io, async ({ rpc, short, print }) => {
    const request = { action: DowngradeAction[action], version };
    const response = await rpc.call(MAINTENANCE_METHODS.downgrade, request, short());
    await print({
      ...messageViews(DOWNGRADE_RESPONSE, response),
      simple: () => `Downgrade ${action} success, cluster version ${response.version}\n`,
    });
    return EXIT_SUCCESS;
  });
}
