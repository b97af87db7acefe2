/** What an operator waits for: whole commands beside the peers', on the same database, and how long they take to start. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../../test/support/judge.ts";
import { peer, peerPath } from "../../../test/support/peers.ts";
import { ServerProcess } from "../../../test/support/server-process.ts";
import { contentDigest, openToRead } from "../../support/measure.ts";
import { makeRevisions } from "../../support/revisions.ts";
import { type Ran, runWhole } from "../../whole/process.ts";
import { WHOLE_QUESTIONS, type WholeQuestion } from "../../whole/questions.ts";
import {
  type Answer,
  type AskContext,
  OURS,
  type Size,
  type Subjects,
  type SuiteQuestion,
} from "../question.ts";
import { fileSizes, sizeOf } from "./support.ts";

const SIZES: readonly Size[] = fileSizes("revisions");

function subjectsOf(question: WholeQuestion, size: Size, context: AskContext): Subjects {
  const { folder, progress } = context;
  const database = join(folder, "db");
  progress("making a database");
  makeRevisions(database, size.keys, size.valueBytes);
  const isThere = question.hasPeer();
  const [name] = question.peerName.split(" ");
  const entry = (who: "ours" | "theirs", called: string, missing?: string) => ({
    name: called,
    ...(missing !== undefined && { missing }),
    run: async (): Promise<Answer> => {
      const ran = await question[who](database, folder);
      return { ...answerOf(ran, 1), ...digestOf(question, who, ran, folder) };
    },
  });
  return {
    entries: [
      entry("ours", OURS),
      entry("theirs", question.peerName, isThere ? undefined : whyNot(name)),
    ],
  };
}

function whyNot(name: string | undefined): string {
  const found = peer(name === "bbolt" ? "go-bbolt" : "etcdctl");
  return found.found ? "" : found.why;
}

function answerOf({ seconds, peakRssBytes }: Ran, perSecond: number): Answer {
  return { value: seconds * perSecond, beside: { "peak MiB": peakRssBytes / 2 ** 20 } };
}

/** Of what it says, or of what is in the file that it leaves. */
function digestOf(
  { same, leaves }: WholeQuestion,
  who: "ours" | "theirs",
  { stdout }: Ran,
  folder: string,
): Pick<Answer, "digest"> {
  if (same !== undefined) return { digest: same(stdout).trim() };
  if (leaves === undefined) return {};
  const path = join(folder, leaves[who]);
  using file = openToRead(path);
  const digest = contentDigest(file);
  rmSync(path);
  return { digest };
}

const WHOLE: readonly SuiteQuestion[] = WHOLE_QUESTIONS.map((question) => ({
  name: `commands/${question.name}`,
  group: "commands",
  about: question.about,
  unit: "s",
  better: "less",
  durability:
    question.leaves === undefined ? "" : "the new file is on the disk before the command ends",
  ...(question.goal !== undefined && {
    goal: { kind: "ratio", peer: question.peerName, atLeast: question.goal },
  }),
  sizes: SIZES,
  smokeSize: sizeOf(1000, 300, "revisions"),
  subjects: (size, context) => subjectsOf(question, size, context),
}));

const ETCDCTL = join(projectFolder(), "dist/src/cli/bin/etcdctl.js");
const ONE_KEY: Size = { label: "one key", keys: 1, valueBytes: 1 };
const MS = 1000;
/** Short commands differ more from one to the next than long ones. */
const START_ROUNDS = 21;

/** A command of etcdctl beside the real one, and Node with nothing to do; against a real etcd, or strata without one. */
async function startSubjects(args: readonly string[], folder: string): Promise<Subjects> {
  const [etcd, etcdctl] = [peer("etcd"), peer("etcdctl")];
  const server =
    args[0] === "version"
      ? undefined
      : await ServerProcess.start({ kind: etcd.found ? "etcd" : "strata", cwd: folder });
  const flags = server === undefined ? [] : [`--endpoints=${server.endpoint}`];
  const entry = (
    name: string,
    program: () => string,
    line: readonly string[],
    missing?: string,
  ) => ({
    name,
    ...(missing !== undefined && { missing }),
    run: async () => answerOf(await runWhole(program(), line), MS),
  });
  const node = (): string => process.execPath;
  return {
    entries: [
      entry(OURS, node, [ETCDCTL, ...flags, ...args]),
      entry(
        "etcdctl",
        () => peerPath("etcdctl"),
        [...flags, ...args],
        etcdctl.found ? undefined : etcdctl.why,
      ),
      entry("node alone", node, ["-e", "0"]),
    ],
    close: async () => {
      await server?.[Symbol.asyncDispose]();
    },
  };
}

function startUp(args: readonly string[], goal?: SuiteQuestion["goal"]): SuiteQuestion {
  return {
    name: `commands/start-up/${args[0]}`,
    group: "commands",
    about: `etcdctl ${args.join(" ")}: from its start to its end`,
    unit: "ms",
    better: "less",
    durability: args[0] === "put" ? "the server has it on the disk before it answers" : "",
    ...(goal !== undefined && { goal }),
    sizes: [ONE_KEY],
    smokeSize: ONE_KEY,
    rounds: START_ROUNDS,
    subjects: (_, { folder }) => startSubjects(args, folder),
  };
}

export const COMMANDS: readonly SuiteQuestion[] = [
  ...WHOLE,
  startUp(["version"], { kind: "value", atMost: 60 }),
  // At most one and a half times as long.
  startUp(["get", "k"], { kind: "ratio", peer: "etcdctl", atLeast: 0.67 }),
  startUp(["put", "k", "v"]),
];
