/** A free list's page that calls itself by another id checked clean, and then did not open for writing. */
import { expect, test } from "vitest";
import { Surgery } from "../support/page-file-surgery.ts";

test("the check sees that the free list's page is another one", () => {
  const surgery = Surgery.of({ freelistSync: true }, (tx) => tx.createBucket(Buffer.from("b")));
  const { freelist = -1 } = surgery.meta;
  expect(surgery.faults()).toEqual([]);
  surgery.setU64(surgery.at(freelist), 3);
  expect(surgery.faults()).toContain(`Page expected to be: ${freelist}, but self identifies as 3`);
});
