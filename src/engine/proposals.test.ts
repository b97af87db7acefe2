import { expect, test } from "vitest";
import { Proposals } from "./proposals.ts";

/** A log whose disk answers when the test says so. */
function slowLog(waitingBytesMax: number) {
  let flushed = (): void => undefined;
  let durable = new Promise<void>((resolve) => {
    flushed = resolve;
  });
  const wal = {
    lastIndex: 0,
    append(): Promise<void> {
      wal.lastIndex++;
      return durable;
    },
  };
  const applied: number[] = [];
  const proposals = new Proposals(
    {
      wal,
      backend: { applied: ({ index }) => void applied.push(index) },
      term: 1,
      memberId: 1n,
      failed: () => undefined,
    },
    waitingBytesMax,
  );
  const flush = (): void => {
    flushed();
    durable = new Promise((resolve) => {
      flushed = resolve;
    });
  };
  return { proposals, wal, applied, flush };
}

test("what waits for the disk is bounded in bytes; what is refused is not logged", async () => {
  const { proposals, wal, applied, flush } = slowLog(100);
  const first = [40, 60].map((bytes) => proposals.propose(new Uint8Array(bytes), () => bytes));
  const refused = proposals.propose(new Uint8Array(1), () => 1);
  await expect(refused).rejects.toMatchObject({
    code: "TOO_MANY_REQUESTS",
    message: "etcdserver: too many requests",
  });
  expect(wal.lastIndex).toBe(2);
  flush();
  expect(await Promise.all(first)).toEqual([40, 60]);
  const later = proposals.propose(new Uint8Array(100), () => "later");
  flush();
  expect(await later).toBe("later");
  expect(applied).toEqual([1, 2, 3]);
});

test("one request alone may be larger than the bound", async () => {
  const { proposals, flush } = slowLog(100);
  const large = proposals.propose(new Uint8Array(1000), () => "large");
  await expect(proposals.propose(new Uint8Array(1), () => 1)).rejects.toMatchObject({
    code: "TOO_MANY_REQUESTS",
  });
  flush();
  expect(await large).toBe("large");
});

test("a failure gives back what waited", async () => {
  const { proposals } = slowLog(100);
  const waiting = proposals.propose(new Uint8Array(100), () => 1);
  proposals.fail(new Error("EIO"));
  await expect(waiting).rejects.toMatchObject({ code: "FAILED" });
  await expect(proposals.propose(new Uint8Array(1), () => 1)).rejects.toMatchObject({
    code: "FAILED",
  });
});
