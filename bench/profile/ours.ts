/**
 * Strata's side of one question, once: the program that is profiled. Arguments: the question's name, a size's label,
 * and `smoke` for the small amounts of it.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { shown } from "../store/alternate.ts";
import { ALL } from "../suite/all.ts";
import { OURS } from "../suite/question.ts";

const [name, label, amount] = process.argv.slice(2);
const smoke = amount === "smoke";
const question = ALL.find((each) => each.name === name);
if (question === undefined) throw new Error(`no question ${name}`);
const { sizes, smokeSize, unit } = question;
const size = (smoke ? [smokeSize] : sizes).find((each) => each.label === label);
if (size === undefined) throw new Error(`${name} has no size ${label}`);

const subjects = await question.subjects(size, {
  folder: scratchFolder("profile"),
  smoke,
  progress: (line) => console.error(`${name}: ${line}`),
});
try {
  const ours = subjects.entries.find((entry) => entry.name === OURS);
  if (ours === undefined) throw new Error(`${name} has no side of ${OURS}`);
  if (ours.missing !== undefined) throw new Error(`${name}: ${ours.missing}`);
  const { value } = await ours.run(0);
  console.log(`${name}, ${size.label}: ${shown(value)} ${unit}; less than without a profile`);
} finally {
  await subjects.close?.();
  // Whoever was told to end gets a turn to be seen ending.
  await nextTurn();
}
