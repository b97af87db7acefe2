import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("the README's example is the one that runs, and prints what it says", () => {
  const example = join(ROOT, "examples/library.mjs");
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  expect(readme).toContain(`\`\`\`js\n${readFileSync(example, "utf8")}\`\`\``);
  const directory = mkdtempSync(join(tmpdir(), "strata-example-"));
  try {
    const printed = execFileSync(process.execPath, [example], { cwd: directory, encoding: "utf8" });
    expect(printed.split("\n")).toEqual([
      "blue 2n",
      "/config/color red",
      "/config/shade dark",
      "put /config/color 2n",
      "put /config/color 3n",
      "put /config/shade 3n",
      "",
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("the README's server is the one that runs", () => {
  const example = join(ROOT, "examples/server.mjs");
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  expect(readme).toContain(`\`\`\`js\n${readFileSync(example, "utf8")}\`\`\``);
  const directory = mkdtempSync(join(tmpdir(), "strata-example-"));
  try {
    const printed = execFileSync(process.execPath, [example], { cwd: directory, encoding: "utf8" });
    expect(printed).toMatch(/^\[ 'http:\/\/127\.0\.0\.1:\d+' \]\n$/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
