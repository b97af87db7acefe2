import { expect, test } from "vitest";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { ALL } from "./all.ts";
import { measureSize } from "./measure-size.ts";
import { answerMicro } from "./micro/answer.ts";
import { CHECKSUMS } from "./micro/checksums.ts";
import { CODECS } from "./micro/codecs.ts";
import { PAGES } from "./micro/pages.ts";
import { RECORDS_OF_LOG } from "./micro/records.ts";
import { GROUPS, OURS } from "./question.ts";
import { microQuestions } from "./questions/micro.ts";
import { pageFileQuestions } from "./questions/page-file.ts";

test("every question has a name of its own, sizes that can be told apart, and a goal it can reach", () => {
  expect(ALL.length).toBeGreaterThan(40);
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  for (const { name, about, unit, goal, sizes } of ALL) {
    expect(name).toMatch(/^[a-z0-9]+[a-z0-9/.x-]*$/i);
    expect(about).not.toBe("");
    expect(unit).not.toBe("");
    expect(sizes.length).toBeGreaterThan(0);
    expect(new Set(sizes.map(({ label }) => label)).size).toBe(sizes.length);
    if (goal?.kind === "ratio") expect(goal.peer).not.toBe(OURS);
  }
  const groups = ALL.map(({ group }) => GROUPS.indexOf(group));
  expect(groups).toEqual([...groups].sort((a, b) => a - b));
});

test("small ones answer, and beside generated code with the same digest", async () => {
  const beside = CODECS.filter(({ subjects }) => Object.keys(subjects).length > 1);
  // The smoke run asks all of them.
  const cases = [...beside, ...CHECKSUMS.slice(1, 2), ...PAGES.slice(0, 3), ...RECORDS_OF_LOG];
  expect(beside.length).toBe(3);
  const questions = microQuestions(cases, (ask) => answerMicro(cases, { ...ask, timeMs: 0 }));
  const options = {
    rounds: 1,
    smoke: true,
    folder: scratchFolder("suite"),
    progress: () => undefined,
  };
  expect(questions.length).toBe(cases.length);
  for (const question of questions) {
    const { sides, digest } = await measureSize(question, question.smokeSize, options);
    expect([question.name, ...sides]).not.toContainEqual(
      expect.objectContaining({ missing: expect.anything() as string }),
    );
    expect(digest).toMatch(/./);
  }
});

test("a question of the page file is asked of a file of its own, with the peer or without", async () => {
  const [question] = pageFileQuestions((asked, file, amounts) => asked.ours(file, amounts));
  if (question === undefined) throw new Error("there is no question");
  const options = {
    rounds: 1,
    smoke: true,
    folder: scratchFolder("suite"),
    progress: () => undefined,
  };
  const { sides } = await measureSize(question, question.smokeSize, options);
  expect(sides[0]).toMatchObject({ name: OURS, values: [expect.any(Number)] });
  expect(sides[1]?.name).toBe("bbolt");
});
