/** The arguments of `npm run profile`. */
import { join } from "node:path";
import { Command } from "commander";
import { parseArguments } from "../suite/parse-arguments.ts";
import type { Size, SuiteQuestion } from "../suite/question.ts";
import { UsageError } from "../suite/usage-error.ts";

export interface ProfileOptions {
  readonly question: SuiteQuestion;
  readonly size: Size;
  /** Of that size, no more than shows that it works. */
  readonly smoke: boolean;
  /** Where the profiles stay. */
  readonly folder: string;
}

const FOLDER = "profiles";
const SHOWN_NAMES = 10;

/**
 * @returns undefined if the help or the list was asked for, which is then written
 * @throws UsageError
 */
export function parseOptions(
  args: readonly string[],
  questions: readonly SuiteQuestion[],
  write: (text: string) => void,
): ProfileOptions | undefined {
  const program = new Command("npm run profile --")
    .description(
      "A CPU profile and a flame graph of strata's side of one question of npm run bench.",
    )
    .argument("[QUESTION]", "its name, or a part that no other name has")
    .option("--list", "say what there is to ask, and ask nothing")
    .option("--smoke", "the small size, which takes seconds")
    .option("--size <LABEL>", "a size by its label or a part of it (default: the largest)")
    .option("--out <FOLDER>", `where the profiles stay (default: a folder in ${FOLDER}/)`);
  if (!parseArguments(program, args, write)) return undefined;
  const given = program.opts<{ list?: true; smoke?: true; size?: string; out?: string }>();
  if (given.list) {
    const lines = questions.map(
      ({ name, sizes }) => `${name}\n    ${sizes.map(({ label }) => label).join("; ")}\n`,
    );
    write(lines.join(""));
    return undefined;
  }
  const [wanted] = program.args;
  if (wanted === undefined) throw new UsageError("which question? --list names them");
  const question = one(questions, wanted, ({ name }) => name, "question");
  if (given.smoke && given.size !== undefined)
    throw new UsageError("--smoke is a size of its own: no --size");
  return {
    question,
    smoke: given.smoke ?? false,
    size: given.smoke ? question.smokeSize : sizeOf(question, given.size),
    folder: given.out ?? join(FOLDER, question.name.replace(/[^a-zA-Z0-9]+/g, "-")),
  };
}

function sizeOf({ name, sizes }: SuiteQuestion, wanted: string | undefined): Size {
  const size =
    wanted === undefined ? sizes.at(-1) : one(sizes, wanted, ({ label }) => label, "size");
  if (size === undefined) throw new UsageError(`${name} has no sizes`);
  return size;
}

/** The one that is called so, or the only one with such a part in its name. */
function one<T>(all: readonly T[], wanted: string, nameOf: (of: T) => string, what: string): T {
  const exact = all.find((each) => nameOf(each) === wanted);
  if (exact !== undefined) return exact;
  const [found, ...others] = all.filter((each) => nameOf(each).includes(wanted));
  if (found === undefined) {
    const there = what === "size" ? `: ${all.map(nameOf).join("; ")}` : "; --list names them";
    throw new UsageError(`no ${what} has "${wanted}" in its name${there}`);
  }
  if (others.length > 0) {
    const names = [found, ...others].map(nameOf);
    const more = names.length > SHOWN_NAMES ? `; and ${names.length - SHOWN_NAMES} more` : "";
    const shown = names.slice(0, SHOWN_NAMES).join("; ");
    throw new UsageError(`"${wanted}" is in the name of more than one ${what}: ${shown}${more}`);
  }
  return found;
}
