/** `endpoint status`. */
import { goJson } from "../../base/go-json.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import type { Io } from "../../console/io.ts";
import { humanBytes } from "../../console/sizes.ts";
import { tableOf } from "../../console/table.ts";
import {
  MAINTENANCE_METHODS,
  STATUS_RESPONSE,
  type StatusResponse,
} from "../../proto/tables/maintenance.ts";
import { field, headerFields, quotedField } from "../print/fields.ts";
import { goJsonObject, goJsonOf } from "../print/go-json.ts";
import { idText } from "../print/ids.ts";
import { connected } from "../session.ts";
import { ALL_COLUMNS } from "./all-columns.ts";
import { type Answered, askEach, targets } from "./targets.ts";

export const command: Command = {
  usage: "endpoint status",
  description:
    "Prints what endpoints say of themselves. In simple form, the columns of the table with commas between them:\n" +
    "endpoint, ID, version, db size, is leader, is learner, raft term, raft index, raft applied index, errors.",
  examples: ["etcdctl endpoint status --cluster -w table"],
  flags: [ALL_COLUMNS],
  run,
};

async function run(args: Arguments, io: Io): Promise<number> {
  return await connected(args, io, async (session) => {
    const { answers, failure } = await askEach(
      session,
      await targets(args, session),
      "status",
      async (rpc, settings) => await rpc.call(MAINTENANCE_METHODS.status, {}, settings),
    );
    const columns = COLUMNS.filter(({ new: isNew }) => !isNew || args.flags.bool(ALL_COLUMNS.name));
    const rows = answers.map((answer) => columns.map(({ cell }) => cell(answer)));
    await session.print({
      simple: () => rows.map((row) => `${row.join(", ")}\n`),
      table: () =>
        tableOf(
          columns.map(({ name }) => name),
          rows,
        ),
      json: () => `[${answers.map(statusJson).join(",")}]\n`,
      fields: () => answers.map(statusFields),
    });
    return failure === undefined ? EXIT_SUCCESS : EXIT_ERROR;
  });
}

type Answer = Answered<StatusResponse>;

interface Column {
  readonly name: string;
  /** Since 3.6. */
  readonly new?: boolean;
  readonly cell: (answer: Answer) => string;
}

const column = (name: string, of: (status: StatusResponse) => unknown, isNew = false): Column => ({
  name,
  new: isNew,
  cell: ({ response }) => String(of(response)),
});

const COLUMNS: readonly Column[] = [
  { name: "endpoint", cell: ({ endpoint }) => endpoint },
  column("ID", ({ header }) => idText(header?.memberId ?? 0n)),
  column("version", ({ version }) => version),
  column("storage version", ({ storageVersion }) => storageVersion, true),
  column("db size", ({ dbSize }) => humanBytes(Number(dbSize))),
  column("in use", ({ dbSizeInUse }) => humanBytes(Number(dbSizeInUse)), true),
  column("percentage not in use", percentageNotInUse, true),
  column("quota", ({ dbSizeQuota }) => humanBytes(Number(dbSizeQuota)), true),
  column("is leader", ({ header, leader }) => leader === (header?.memberId ?? 0n)),
  column("is learner", ({ isLearner }) => isLearner),
  column("raft term", ({ raftTerm }) => raftTerm),
  column("raft index", ({ raftIndex }) => raftIndex),
  column("raft applied index", ({ raftAppliedIndex }) => raftAppliedIndex),
  column("errors", ({ errors }) => errors.join(", ")),
  column(
    "downgrade target version",
    ({ downgradeInfo }) => downgradeInfo?.targetVersion ?? "",
    true,
  ),
  column("downgrade enabled", ({ downgradeInfo }) => downgradeInfo?.enabled ?? false, true),
];

/** A server that does not say how large its database is has nothing that is not in use. (Go divides by zero there.) */
function percentageNotInUse({ dbSize, dbSizeInUse }: StatusResponse): string {
  return dbSize === 0n ? "0%" : `${100n - (dbSizeInUse * 100n) / dbSize}%`;
}

function statusJson({ endpoint, response }: Answer): string {
  return goJsonObject({
    Endpoint: goJson(endpoint),
    Status: goJsonOf(STATUS_RESPONSE, response),
  });
}

function statusFields({ endpoint, response }: Answer): string {
  const lines = [
    headerFields(response.header),
    quotedField("Version", response.version),
    quotedField("StorageVersion", response.storageVersion),
    field("DBSize", response.dbSize),
    field("DBSizeInUse", response.dbSizeInUse),
    field("DBSizeQuota", response.dbSizeQuota),
    field("Leader", response.leader),
    field("IsLearner", response.isLearner),
    field("RaftIndex", response.raftIndex),
    field("RaftTerm", response.raftTerm),
    field("RaftAppliedIndex", response.raftAppliedIndex),
    field("Errors", `[${response.errors.join(" ")}]`),
    quotedField("Endpoint", endpoint),
    quotedField("DowngradeTargetVersion", response.downgradeInfo?.targetVersion ?? ""),
    field("DowngradeEnabled", response.downgradeInfo?.enabled ?? false),
  ];
  return `${lines.join("")}\n`;
}
