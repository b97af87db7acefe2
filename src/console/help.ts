/** Help texts in etcd's sections. The words are ours. */
import { Command as Commander, Option } from "commander";
import { type Command, type CommandTree, groupFlags, isGroup, type Program } from "./command.ts";
import type { FlagSpec } from "./flags.ts";
import { HELP } from "./go-arguments.ts";

/** What help is asked for: the path to it, and the command's own module if it is one. */
export interface HelpTopic {
  readonly program: Program;
  readonly path: readonly CommandTree[];
  readonly command: Command | undefined;
}

const INDENT = "  ";
const GAP = 3;

/** The command that was asked about as commander knows it, under its parents; the sections are etcd's. */
export function helpOn(topic: HelpTopic): string {
  const { program, path, command } = topic;
  let leaf = new Commander(program.name);
  for (const { name, summary } of path.slice(1)) leaf = leaf.command(name).summary(summary);
  const flags = [...(command?.flags ?? []), ...groupFlags(path), ...program.globalFlags, HELP];
  for (const flag of flags) leaf.addOption(new GoOption(flag));
  return leaf
    .argument("[arguments...]")
    .helpOption(false)
    .helpCommand(false)
    .configureHelp({ formatHelp: () => helpText(topic) })
    .helpInformation();
}

/** Commander would take `--no-password` for the denial of `--password`. */
class GoOption extends Option {
  constructor({ name, short, kind, help }: FlagSpec) {
    const long = `--${name} <${kind}>`;
    super(short ? `-${short}, ${long}` : long, help);
    this.negate = false;
  }
}

function helpText({ program, path, command }: HelpTopic): string {
  const tree = path.at(-1) ?? program;
  const name =
    path
      .slice(1)
      .map((part) => part.name)
      .join(" ") || program.name;
  const isRoot = tree === program;
  const sections: [string, readonly string[]][] = [["NAME", [`${name} - ${tree.summary}`]]];
  const usage = command ? command.usage : isRoot ? "<command>" : `${name} <subcommand>`;
  sections.push(["USAGE", [`${program.name} ${usage} [flags]`.replace("  ", " ")]]);
  if (isRoot) sections.push(["VERSION", [program.version]]);
  if (isRoot && program.apiVersion) sections.push(["API VERSION", [program.apiVersion]]);
  if (isGroup(tree) && tree.entries.length > 0)
    sections.push(["COMMANDS", commandLines(tree, isRoot)]);
  if (command?.description) sections.push(["DESCRIPTION", command.description.split("\n")]);
  if (command && command.examples.length > 0) sections.push(["EXAMPLES", command.examples]);
  sections.push(["OPTIONS", flagLines([...(command?.flags ?? []), HELP])]);
  // Those of groups are the whole group's: they stand with what is known everywhere.
  const inherited = [...groupFlags(path), ...program.globalFlags];
  if (inherited.length > 0) sections.push(["GLOBAL OPTIONS", flagLines(inherited)]);
  return sections
    .map(([title, lines]) => `${title}:\n${lines.map((line) => `${INDENT}${line}\n`).join("")}`)
    .join("\n");
}

/** At the top all commands with their groups' names before them, in a group its own. */
function commandLines(tree: CommandTree, deep: boolean): string[] {
  const rows: [string, string][] = [];
  const add = (node: CommandTree, prefix: string): void => {
    for (const entry of isGroup(node) ? node.entries : []) {
      const name = `${prefix}${entry.name}`;
      if (!deep || entry.load !== undefined) rows.push([name, entry.summary]);
      if (deep && isGroup(entry)) add(entry, `${name} `);
    }
  };
  add(tree, "");
  return columns(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function flagLines(flags: readonly FlagSpec[]): string[] {
  return columns(
    flags
      .filter(({ hidden }) => !hidden)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((flag) => [
        `${flag.short ? `-${flag.short}, ` : "    "}--${flag.name}${shownDefault(flag)}`,
        flag.required ? `${flag.help} (required)` : flag.help,
      ]),
  );
}

function shownDefault({ kind, default: text }: FlagSpec): string {
  if (kind === "string") return `="${text}"`;
  return kind === "bool" || kind === "list" ? `[=${text}]` : `=${text}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length)) + GAP;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`.trimEnd());
}
