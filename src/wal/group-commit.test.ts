import { expect, test } from "vitest";
import { GroupCommit } from "./group-commit.ts";

/** A group commit whose turns of the event loop are taken by hand, and whose syncs end when they are told to. */
function commits() {
  const turns: (() => void)[] = [];
  const syncs: (() => void)[] = [];
  const sizes: number[] = [];
  const group = new GroupCommit(
    (_acknowledge, joined) => {
      sizes.push(joined);
      return new Promise<void>((done) => syncs.push(done));
    },
    (work) => turns.push(work),
  );
  return {
    group,
    sizes,
    join: (callers: number) => Array.from({ length: callers }, () => group.join()),
    turn: () => {
      for (const work of turns.splice(0)) work();
    },
    synced: async () => {
      syncs.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("whoever comes while one is under way goes with the next", async () => {
  const { join, turn, synced, sizes, group } = commits();
  const first = join(1);
  turn();
  const others = join(3);
  turn();
  expect(sizes).toEqual([1]);
  await synced();
  await Promise.all(first);
  for (let i = 0; i < 5; i++) turn();
  expect(sizes).toEqual([1, 3]);
  await synced();
  await Promise.all(others);
  expect(group.idle).toBe(true);
});

test("one who is alone never waits for others", async () => {
  const { join, turn, synced, sizes } = commits();
  for (let i = 1; i <= 5; i++) {
    join(1);
    turn();
    expect(sizes).toHaveLength(i);
    await synced();
  }
});

test("half of a crowd waits a few turns for the other half, and no longer", async () => {
  const { join, turn, synced, sizes } = commits();
  join(5);
  turn();
  join(5);
  await synced();
  turn();
  // The first five have been answered, and come in the next turn: a crowd of ten in one batch.
  expect(sizes).toEqual([5]);
  join(5);
  turn();
  expect(sizes).toEqual([5, 10]);
  join(2);
  await synced();
  // Nobody else comes.
  for (let i = 0; i < 4; i++) {
    turn();
    expect(sizes).toHaveLength(2);
  }
  turn();
  expect(sizes).toEqual([5, 10, 2]);
});

test("half of a large crowd does not wait", async () => {
  const { join, turn, synced, sizes } = commits();
  join(50);
  turn();
  join(50);
  await synced();
  turn();
  join(10);
  await synced();
  turn();
  expect(sizes).toEqual([50, 50, 10]);
});

test("a crowd that has gone is forgotten", async () => {
  const { join, turn, synced, sizes } = commits();
  join(4);
  turn();
  await synced();
  let waited = 0;
  for (let i = 0; i < 30; i++) {
    join(1);
    const before = sizes.length;
    for (waited = 0; sizes.length === before; waited++) turn();
    await synced();
  }
  expect(waited).toBe(1);
});

test("it is quiet when nothing is under way any more", async () => {
  const { join, turn, synced, group } = commits();
  await group.quiet();
  join(1);
  turn();
  join(1);
  let quiet = false;
  const waiting = group.quiet().then(() => {
    quiet = true;
  });
  await synced();
  expect(quiet).toBe(false);
  for (let i = 0; i < 6; i++) turn();
  await synced();
  await waiting;
  expect(quiet).toBe(true);
});
