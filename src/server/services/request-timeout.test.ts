import { afterEach, expect, test } from "vitest";
import { FakeCall } from "../../../test/support/fake-call.ts";
import { RequestTimeout } from "./request-timeout.ts";

const timeout = new RequestTimeout(28);
afterEach(() => timeout.close());

test("a change that hangs is answered, one that was answered is left alone", async () => {
  const calls = Array.from({ length: 3 }, () => new FakeCall("/etcdserverpb.KV/Put"));
  for (const call of calls) timeout.watch(call);
  calls[1]?.reply(new Uint8Array(0));
  expect(await calls[2]?.whenEnded()).toEqual({
    code: 14,
    message: "etcdserver: request timed out",
  });
  expect(calls.map(({ status }) => status?.code)).toEqual([14, 0, 14]);
  expect(timeout.size).toBe(0);
});

test("what has been answered is not held", () => {
  for (let i = 0; i < 5000; i++) {
    const call = new FakeCall("/etcdserverpb.KV/Put");
    timeout.watch(call);
    call.reply(new Uint8Array(0));
  }
  expect(timeout.size).toBeLessThanOrEqual(1);
});
