/** A program's commands, laid out flat for shells to look up. */
import { type CommandTree, groupFlags, isGroup, type Program } from "../../console/command.ts";
import type { FlagSpec } from "../../console/flags.ts";
import { HELP } from "../../console/go-arguments.ts";

/** What may come behind some words. */
export interface Node {
  /** `endpoint status`; empty: the program itself. */
  readonly path: string;
  readonly entries: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly FlagSpec[];
}

/** Loads every command of the program. Groups stand before what is in them. */
export async function nodesOf(program: Program): Promise<Node[]> {
  return await below(program, [program]);
}

async function below(program: Program, path: readonly CommandTree[]): Promise<Node[]> {
  const tree = path.at(-1) ?? program;
  const own = isGroup(tree) ? [] : (await tree.load()).flags;
  const node: Node = {
    path: path
      .slice(1)
      .map(({ name }) => name)
      .join(" "),
    entries: isGroup(tree) ? tree.entries.map(({ name, summary }) => ({ name, summary })) : [],
    flags: [...own, ...groupFlags(path), ...program.globalFlags, HELP]
      .filter(({ hidden }) => !hidden)
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
  const inside = isGroup(tree) ? tree.entries : [];
  const more = await Promise.all(inside.map((entry) => below(program, [...path, entry])));
  return [node, ...more.flat()];
}

/** `-w` and `--write-out` */
export function spellings({ name, short }: FlagSpec): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** All that take a value in the next word. */
export function valued({ flags }: Node): string[] {
  return flags.filter(({ kind }) => kind !== "bool").flatMap(spellings);
}

/** Flags of which all values are known, each once. */
export function choices(nodes: readonly Node[]): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { path, flags } of nodes) {
    for (const flag of flags) {
      if (flag.values === undefined) continue;
      for (const spelling of spellings(flag)) found.set(`${path}/${spelling}`, flag.values);
    }
  }
  return found;
}
