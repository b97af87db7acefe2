/** `lease list` */
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { LEASE_METHODS } from "../../proto/tables/lease.ts";
import { field, headerFields } from "../print/fields.ts";
import { leaseIdText } from "../print/ids.ts";
import { connected } from "../session.ts";
import { calling, headerBytes, leaseJson } from "./answers.ts";

export const command: Command = {
  usage: "lease list",
  description: "Lists the leases that live, the one that ends first at the head.",
  examples: ["etcdctl lease list"],
  flags: [],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  return await connected(args, io, async ({ rpc, print }) => {
    // As etcdctl: however long it takes.
    const { header, leases } = await calling(rpc.call(LEASE_METHODS.leases, {}));
    await print({
      simple: () => [
        `found ${leases.length} leases\n`,
        ...leases.map(({ id }) => `${leaseIdText(id)}\n`),
      ],
      fields: () => [headerFields(header), ...leases.map(({ id }) => field("ID", id))],
      json: () =>
        leaseJson(header, { leases: `[${leases.map(({ id }) => `{"id":${id}}`).join(",")}]` }),
      protobuf: () => headerBytes(header),
    });
    return EXIT_SUCCESS;
  });
}
