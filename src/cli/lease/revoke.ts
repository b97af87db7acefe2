/** `lease revoke ID` */
import type { Arguments, Command } from "../../console/command.ts";
import {
  EXIT_BAD_ARGS,
  EXIT_BAD_FEATURE,
  EXIT_ERROR,
  EXIT_SUCCESS,
} from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { LEASE_METHODS, LEASE_REVOKE_RESPONSE } from "../../proto/tables/lease.ts";
import { headerFields } from "../print/fields.ts";
import { goJsonLine } from "../print/go-json.ts";
import { leaseIdText } from "../print/ids.ts";
import { connected } from "../session.ts";
import { calling, leaseArgument } from "./answers.ts";

export const command: Command = {
  usage: "lease revoke <leaseID>",
  description: "Ends a lease: the keys that hang on it are deleted.",
  examples: ["etcdctl lease revoke 32695410dcc0ca06"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  const [text, ...more] = args.positionals;
  if (text === undefined || more.length > 0) {
    throw new Failure(EXIT_BAD_ARGS, "lease revoke command needs 1 argument");
  }
  const id = leaseArgument(text);
  return await connected(args, io, async ({ rpc, short, print }) => {
    const response = await calling(
      rpc.call(LEASE_METHODS.revoke, { id }, short()),
      EXIT_ERROR,
      (why) => `failed to revoke lease (${why})`,
    );
    await print({
      simple: () => `lease ${leaseIdText(id)} revoked\n`,
      fields: () => headerFields(response.header),
      json: () => goJsonLine(LEASE_REVOKE_RESPONSE, response),
      protobuf: () => {
        const what = "marshal unsupported for type clientv3.LeaseRevokeResponse";
        throw new Failure(EXIT_BAD_FEATURE, what);
      },
    });
    return EXIT_SUCCESS;
  });
}
