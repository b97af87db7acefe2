import { expect, test } from "vitest";
import { untilAborted } from "./waiting.ts";

const reason = new Error("enough");

function rig(): { undone: number; undo: () => Promise<void> } {
  const counts = {
    undone: 0,
    undo: async () => {
      counts.undone++;
    },
  };
  return counts;
}

test("what comes about is kept", async () => {
  const counts = rig();
  const { signal } = new AbortController();
  const done = untilAborted(signal, async (waiting) => {
    waiting.undo(counts.undo);
    return "done";
  });
  expect([await done, counts.undone]).toEqual(["done", 0]);
});

test("what fails is undone", async () => {
  const counts = rig();
  const failed = untilAborted(undefined, async (waiting) => {
    waiting.undo(counts.undo);
    throw reason;
  });
  await expect(failed).rejects.toBe(reason);
  expect(counts.undone).toBe(1);
});

test("whoever aborts waits no longer, and what comes about later is undone", async () => {
  const counts = rig();
  const controller = new AbortController();
  let finish = (): void => undefined;
  const work = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const waited = untilAborted(controller.signal, async (waiting) => {
    waiting.undo(counts.undo);
    await work;
    expect(waiting.signal.reason).toBe(reason);
  });
  controller.abort(reason);
  await expect(waited).rejects.toBe(reason);
  expect(counts.undone).toBe(0);
  finish();
  await expect.poll(() => counts.undone).toBe(1);
});

test("once it is there, the signal means nothing any more", async () => {
  const controller = new AbortController();
  const signal = await untilAborted(controller.signal, async (waiting) => waiting.signal);
  controller.abort(reason);
  expect(signal.aborted).toBe(false);
});

test("whoever has aborted before begins nothing", async () => {
  let begun = false;
  const waited = untilAborted(AbortSignal.abort(reason), async () => {
    begun = true;
  });
  await expect(waited).rejects.toBe(reason);
  expect(begun).toBe(false);
});
