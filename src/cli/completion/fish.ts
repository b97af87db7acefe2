/** A completion script for fish, with what everything is for. */
import type { FlagSpec } from "../../console/flags.ts";
import { type Commands, type Node, valued } from "./nodes.ts";

export function fishScript({ program, flags, nodes }: Commands): string {
  const paths = nodes.map(({ path }) => path).filter((path) => path !== "");
  const all = [...new Set([flags, ...nodes.map((node) => node.flags)].flatMap(valued))];
  return `# fish completion for ${program}

# Whether the command line has come to just this command.
function __${program}_at
    set -l at
    set -l skip 0
    for arg in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
        else if string match -q -- '-*' $arg
            contains -- $arg ${all.join(" ")}
            and set skip 1
        else if contains -- (string trim "$at $arg") ${paths.map(quoted).join(" ")}
            set at $at $arg
        end
    end
    test "$at" = "$argv[1]"
end

complete -c ${program} -e
${flags.map((flag) => flagLine(`complete -c ${program}`, flag)).join("\n")}
${nodes.flatMap((node) => nodeLines(program, node)).join("\n")}
`;
}

function nodeLines(program: string, { path, entries, flags }: Node): string[] {
  const begin = `complete -c ${program} -n "__${program}_at '${path}'"`;
  return [
    ...entries.map(({ name, summary }) => `${begin} -f -a ${name} -d ${quoted(summary)}`),
    ...flags.map((flag) => flagLine(begin, flag)),
  ];
}

function flagLine(begin: string, { name, short, kind, help, values }: FlagSpec): string {
  const letter = short === undefined ? "" : ` -s ${short}`;
  const choice = values === undefined ? "" : ` -f -a ${quoted(values.join(" "))}`;
  const value = kind === "bool" ? "" : " -r";
  return `${begin} -l ${name}${letter}${value}${choice} -d ${quoted(help)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
