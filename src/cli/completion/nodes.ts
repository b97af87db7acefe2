/** A program's commands, laid out flat for shells to look up. */
import { type CommandTree, groupFlags, isGroup, type Program } from "../../console/command.ts";
import type { FlagSpec } from "../../console/flags.ts";
import { HELP } from "../../console/go-arguments.ts";

export interface Commands {
  readonly program: string;
  /** Known everywhere. */
  readonly flags: readonly FlagSpec[];
  readonly nodes: readonly Node[];
}

/** What may come behind some words. */
export interface Node {
  /** `endpoint status`; empty: the program itself. */
  readonly path: string;
  readonly entries: readonly { readonly name: string; readonly summary: string }[];
  /** Besides those that are known everywhere. */
  readonly flags: readonly FlagSpec[];
}

/** Loads every command of the program. Groups stand before what is in them. */
export async function commandsOf(program: Program): Promise<Commands> {
  const flags = shown([...program.globalFlags, HELP]);
  return { program: program.name, flags, nodes: await below(program, [program]) };
}

function shown(flags: readonly FlagSpec[]): FlagSpec[] {
  return flags.filter(({ hidden }) => !hidden).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function below(program: Program, path: readonly CommandTree[]): Promise<Node[]> {
  const tree = path.at(-1) ?? program;
  const own = (await tree.load?.())?.flags ?? [];
  const node: Node = {
    path: path
      .slice(1)
      .map(({ name }) => name)
      .join(" "),
    entries: isGroup(tree) ? tree.entries.map(({ name, summary }) => ({ name, summary })) : [],
    flags: shown([...own, ...groupFlags(path)]),
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
export function valued(flags: readonly FlagSpec[]): string[] {
  return flags.filter(({ kind }) => kind !== "bool").flatMap(spellings);
}

/** Of flags that have few values, by where they are known: `member list/--consistency`; `/-w` is known everywhere. */
export function choices({ flags, nodes }: Commands): [place: string, values: readonly string[]][] {
  return [{ path: "", flags }, ...nodes].flatMap((node) =>
    node.flags.flatMap((flag) =>
      flag.values === undefined
        ? []
        : spellings(flag).map((one): [string, readonly string[]] => [
            `${node.path}/${one}`,
            flag.values ?? [],
          ]),
    ),
  );
}
