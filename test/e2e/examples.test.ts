import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { scratchFolder } from "../support/cleanup.ts";
import { ServerProcess } from "../support/server-process.ts";

const run = promisify(execFile);

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

test("the server of docs/embedding.md is the one that runs", () => {
  const example = join(ROOT, "examples/server.mjs");
  const page = readFileSync(join(ROOT, "docs/embedding.md"), "utf8");
  expect(page).toContain(`\`\`\`js\n${readFileSync(example, "utf8")}\`\`\``);
  const directory = mkdtempSync(join(tmpdir(), "strata-example-"));
  try {
    const printed = execFileSync(process.execPath, [example], { cwd: directory, encoding: "utf8" });
    expect(printed).toMatch(/^\[ 'http:\/\/127\.0\.0\.1:\d+' \]\n$/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("the client's example runs against a server, and prints what its page says", async () => {
  const example = join(ROOT, "examples/client.mjs");
  const page = readFileSync(join(ROOT, "docs/client.md"), "utf8");
  expect(page).toContain(`\`\`\`js\n${readFileSync(example, "utf8")}\`\`\``);
  await using server = await ServerProcess.start({ kind: "strata" });
  const { stdout } = await run(process.execPath, [example, server.endpoint]);
  expect(stdout.split("\n")).toEqual([
    "blue",
    "put /config/color red",
    "put /config/shade dark",
    "1 false",
    "",
  ]);
});

test("the vitest project passes its tests, with strata where an install would put it", async () => {
  const project = join(scratchFolder("vitest"), "project");
  cpSync(join(ROOT, "examples/vitest"), project, { recursive: true });
  const installed = join(project, "node_modules/strata");
  mkdirSync(installed, { recursive: true });
  // Copied: what lies outside of node_modules, behind a link, vitest would transform.
  for (const part of ["package.json", "dist/src", "dist/native-free"]) {
    cpSync(join(ROOT, part), join(installed, part), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(installed, "node_modules"));
  symlinkSync(join(ROOT, "node_modules/vitest"), join(project, "node_modules/vitest"));
  const env = { PATH: process.env.PATH, HOME: project, NO_COLOR: "1" };
  const vitest = join(project, "node_modules/vitest/vitest.mjs");
  const { stdout } = await run(process.execPath, [vitest, "run"], { cwd: project, env });
  expect(stdout).toMatch(/Test Files {2}3 passed \(3\)\n *Tests {2}7 passed \(7\)/);
});
