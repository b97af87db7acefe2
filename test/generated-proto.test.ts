/** What is checked in under src/proto/gen is what the .proto files give. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

function filesIn(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(names.map((name) => [name.slice(folder.length), readFileSync(name, "utf8")]));
}

test("generating the protobuf code again changes nothing", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "strata-proto-"));
  try {
    const programs = join(ROOT, "node_modules", ".bin");
    execFileSync(join(programs, "buf"), ["generate", "--output", folder], {
      cwd: ROOT,
      env: { ...process.env, PATH: `${programs}${delimiter}${process.env.PATH ?? ""}` },
    });
    const again = filesIn(join(folder, "src/proto/gen"));
    const checkedIn = filesIn(join(ROOT, "src/proto/gen"));
    expect(checkedIn.size).toBeGreaterThanOrEqual(8);
    expect([...again.keys()].sort()).toEqual([...checkedIn.keys()].sort());
    for (const [name, text] of checkedIn) expect(again.get(name) === text, name).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
