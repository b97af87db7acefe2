import { expect, test } from "vitest";
import { MemoryIo } from "../../test/support/memory-io.ts";
import {
  type CommandEntry,
  type CommandTree,
  groupFlags,
  isGroup,
  type Program,
} from "../console/command.ts";
import { findCommand } from "../console/go-arguments.ts";
import { main } from "../console/main.ts";
import { ETCDCTL } from "./etcdctl.ts";
import { ETCDUTL } from "./etcdutl.ts";
import { STRATA_COMMANDS } from "./strata.ts";

interface Named {
  readonly program: Program;
  readonly path: readonly string[];
  readonly entry: CommandEntry;
}

function commandsOf(program: Program): Named[] {
  const found: Named[] = [];
  const visit = (tree: CommandTree, path: readonly string[]): void => {
    const { name, summary, load } = tree;
    if (load !== undefined) found.push({ program, path, entry: { name, summary, load } });
    for (const next of isGroup(tree) ? tree.entries : []) visit(next, [...path, next.name]);
  };
  visit(program, []);
  return found;
}

const COMMANDS = [ETCDCTL, ETCDUTL, STRATA_COMMANDS].flatMap(commandsOf);

test("the programs have etcd's commands, and strata its own", () => {
  expect(commandsOf(ETCDCTL)).toHaveLength(52);
  expect(commandsOf(ETCDUTL)).toHaveLength(7);
  expect(commandsOf(STRATA_COMMANDS)).toHaveLength(5);
});

test.each(COMMANDS.map((one) => [`${one.program.name} ${one.path.join(" ")}`, one] as const))(
  "%s has a summary, a usage, examples, and help for each flag",
  async (_, { program, path, entry }) => {
    const command = await entry.load();
    expect(entry.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(command.usage === path.join(" ") || command.usage.startsWith(`${path.join(" ")} `)).toBe(
      true,
    );
    expect(command.examples.length).toBeGreaterThan(0);
    const named = new RegExp(`\\b${program.name}( .*)? ${path.join(" ")}\\b`);
    expect(command.examples.filter((example) => named.test(example))).not.toEqual([]);
    for (const example of command.examples) expect(example).toContain(program.name);
    expect(new Set(command.flags.map((flag) => flag.name)).size).toBe(command.flags.length);
    const { path: trees } = findCommand(program, path, []);
    const flags = [...program.globalFlags, ...groupFlags(trees), ...command.flags];
    const known = new Set(flags.map((flag) => flag.name));
    for (const flag of command.flags) expect(flag.help).not.toBe("");
    for (const [, flag] of command.examples.join(" ").matchAll(/ --([a-z][a-z-]*)/g)) {
      expect([...known]).toContain(flag);
    }
    const io = new MemoryIo();
    expect(await main(program, [...path, "--help"], io)).toBe(0);
    expect(io.stderr.text).toBe("");
    for (const section of ["NAME:", "USAGE:", "EXAMPLES:", "OPTIONS:", "GLOBAL OPTIONS:"]) {
      expect(io.stdout.text).toContain(`${section}\n`);
    }
  },
);
