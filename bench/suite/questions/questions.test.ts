import { afterEach, expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { OURS, type SuiteQuestion } from "../question.ts";
import { MAINTENANCE } from "./maintenance.ts";
import { SERVER } from "./server.ts";
import { STORE } from "./store.ts";
import { Once, sizeOf, valueSizeOf } from "./support.ts";

const ALL: readonly SuiteQuestion[] = [...STORE, ...SERVER, ...MAINTENANCE];

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function entriesOf(question: SuiteQuestion) {
  const context = { folder: scratchFolder("questions"), smoke: true, progress: () => undefined };
  const { entries, close } = await question.subjects(question.smokeSize, context);
  if (close !== undefined) closing.push(close);
  return entries;
}

test("every question has a name of its own, and every size of it a label", () => {
  const names = ALL.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, group, sizes } of ALL) {
    expect(name).toMatch(/^(store|server|maintenance)(\/[a-z0-9-]+)+$/);
    expect(group).toMatch(new RegExp(name.split("/")[0] ?? ""));
    const labels = sizes.map(({ label }) => label);
    expect(labels.length).toBeGreaterThan(0);
    expect(new Set(labels).size).toBe(labels.length);
  }
});

test("a goal that is a ratio names somebody who is asked", async () => {
  // Others need a store or a data dir before they say whom they ask.
  const cheap = /^(store\/puts|server|maintenance)/;
  const judged = ALL.filter(({ name, goal }) => cheap.test(name) && goal?.kind === "ratio");
  expect(judged.length).toBeGreaterThan(10);
  for (const question of judged) {
    const names = (await entriesOf(question)).map(({ name }) => name);
    expect(names[0]).toBe(OURS);
    expect(names).toContain(question.goal?.kind === "ratio" ? question.goal.peer : "");
  }
});

test("a store and its smallest peer answer with a figure and with the same digest", async () => {
  const question = STORE.find(({ name }) => name === "store/puts/10") as SuiteQuestion;
  const digests = new Set<string | undefined>();
  const entries = (await entriesOf(question)).filter(
    ({ name, missing }) => missing === undefined && [OURS, "better-sqlite3"].includes(name),
  );
  for (const { run } of entries) {
    const { value, digest, beside } = await run(0);
    expect(value).toBeGreaterThan(0);
    expect(beside?.["p99 µs"]).toBeGreaterThan(0);
    digests.add(digest);
  }
  expect(digests.size).toBe(1);
  expect([...digests][0]).toMatch(/^[0-9a-f]{64}$/);
});

test("what is dear is made once, whoever asks, and its failure is everybody's", async () => {
  const once = new Once<number>();
  let made = 0;
  const ask = (): Promise<number> => once.get("a", () => ++made);
  expect(await Promise.all([ask(), ask()])).toEqual([1, 1]);
  const failing = (): Promise<number> =>
    once.get("b", () => Promise.reject(new Error(`${++made}`)));
  await expect(failing()).rejects.toThrow("2");
  await expect(failing()).rejects.toThrow("2");
});

test("labels say how many and how large", () => {
  expect(sizeOf(1_000_000, 300).label).toBe("1,000,000 keys of 300 B");
  expect(sizeOf(2000, 65_536, "puts").label).toBe("2,000 puts of 64 KiB");
  expect(valueSizeOf(1024).label).toBe("values of 1 KiB");
});
