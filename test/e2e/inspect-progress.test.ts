import { expect, test } from "vitest";
import { run } from "../support/built-cli.ts";
import { goldenPath } from "../support/golden.ts";

test("--progress json says how far it has come on stderr, and leaves the report alone", async () => {
  const path = goldenPath("full.datadir.db");
  const quiet = await run("strata-inspect", [path, "check"]);
  const said = await run("strata-inspect", [path, "check", "--progress", "json"]);
  expect([said.code, said.stdout]).toEqual([0, quiet.stdout]);
  expect(quiet.stderr).toBe("");
  const lines = said.stderr.trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({
      phase: expect.any(String),
      done: expect.any(Number),
      total: expect.any(Number),
      rate: expect.any(Number),
    });
  }
});

test("an unknown way to show it is refused", async () => {
  const { code, stderr } = await run("strata-inspect", [
    goldenPath("basic.datadir.db"),
    "--progress",
    "x",
  ]);
  expect(code).toBe(128);
  expect(stderr).toMatch(/^Error: .*--progress.*\n$/);
});
