/** Test code for a process of its own: plain JavaScript beside the build that it imports. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const TARGET = join(import.meta.dirname, "../../dist/test/support");

/**
 * Makes `dist/test/support/<name>.js` of files in this folder; the build must be there already.
 * @param names  the program first, then what it imports from this folder, without `.ts`
 * @returns the program's path
 */
export function compiled(...names: readonly [string, ...string[]]): string {
  mkdirSync(TARGET, { recursive: true });
  for (const name of names) {
    const source = readFileSync(join(import.meta.dirname, `${name}.ts`), "utf8");
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    // Another test may be starting the same program.
    const mine = join(TARGET, `${name}.${process.pid}.tmp`);
    writeFileSync(mine, outputText);
    renameSync(mine, join(TARGET, `${name}.js`));
  }
  return join(TARGET, `${names[0]}.js`);
}
