/** What `--help` prints, made of the table of flags. */
import { SERVER_FLAGS, type ServerFlag } from "./flag-table.ts";

export const USAGE = `Usage:

  strata [flags]
    Run an etcd server of one member.

  strata --version
    Show the version.

  strata -h | --help
    Show every flag.

  strata --config-file
    Read flags from a YAML file; all other flags and variables are ignored then.

  strata jobs | defrag | quota | check
    Look after a server that runs; strata help COMMAND says how.

Every flag has a variable: ETCD_DATA_DIR stands for --data-dir.
`;

/** Every flag that does something, by section; those that are only accepted by their names. */
export function flagsText(): string {
  const plain = SERVER_FLAGS.filter(({ presentName }) => presentName === undefined);
  const working = plain.filter(({ relevance }) => relevance === "works");
  const sections = [...new Set(working.map(({ section }) => section))].map((section) => {
    const lines = working.filter((flag) => flag.section === section).map(flagLines);
    return `${section}:\n${lines.join("")}`;
  });
  const accepted = plain.filter(({ relevance }) => relevance === "accepted");
  sections.push(
    `Accepted, without effect on a member that is alone:\n${namesOf(accepted)}`,
    `Refused, unless off:\n${namesOf(plain.filter(({ relevance }) => relevance === "refused"))}`,
    `Old names of flags above:\n${namesOf(SERVER_FLAGS.filter(({ presentName }) => presentName !== undefined))}`,
  );
  return sections.join("\n");
}

function flagLines({ name, default: text, help }: ServerFlag): string {
  return `  --${name} '${text}'\n    ${help[0]?.toUpperCase()}${help.slice(1)}.\n`;
}

const WIDTH = 100;

function namesOf(flags: readonly ServerFlag[]): string {
  let text = "";
  let line = " ";
  for (const { name } of flags) {
    if (line.length + name.length + 3 > WIDTH) {
      text += `${line}\n`;
      line = " ";
    }
    line += ` --${name}`;
  }
  return `${text}${line}\n`;
}
