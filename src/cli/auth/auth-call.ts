/** What the commands of `auth`, `user` and `role` have in common: one call, without a limit of time. */
import { rawBytes } from "../../base/raw-text.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import type { ResponseHeader } from "../../proto/tables/header.ts";
import type { Method, Partially } from "../../proto/tables/message-table.ts";
import { headerViews } from "../print/message-views.ts";
import { connected } from "../session.ts";

/** For a response that says no more than that it was done. @param said  the line that says it, in simple form */
export async function authCall<I, O extends { readonly header: ResponseHeader | undefined }>(
  args: Arguments,
  io: Io,
  method: Method<I, O>,
  request: Partially<I>,
  said: string,
): Promise<number> {
  return await connected(args, io, async ({ rpc, print }) => {
    const response = await rpc.call(method, request);
    await print({ ...headerViews(method.output, response), simple: () => rawBytes(`${said}\n`) });
    return EXIT_SUCCESS;
  });
}
