import { expect, test } from "vitest";
import { callFake } from "../../../test/support/fake-call.ts";
import type { Method } from "../../grpc/service.ts";
import { lazyService } from "./lazy-service.ts";

const NOTHING = new Uint8Array(0);
const answers: Method = { kind: "unary", handle: (call) => call.reply(Uint8Array.of(1)) };

test("is loaded once, by the first call or before", async () => {
  let loads = 0;
  const service = lazyService("x.Y", { A: "unary", B: "unary" }, async () => {
    loads++;
    return { A: answers, B: answers };
  });
  expect(loads).toBe(0);
  const both = await Promise.all([
    callFake(service, "A", NOTHING),
    callFake(service, "B", NOTHING),
  ]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  await service.load();
  expect(await callFake(service, "A", NOTHING)).toMatchObject({ code: 0 });
  expect(loads).toBe(1);
});

test("a load that fails is the call's failure, and is tried again", async () => {
  let loads = 0;
  const service = lazyService("x.Y", { A: "unary" }, async () => {
    if (++loads === 1) throw new Error("no such file");
    return { A: answers };
  });
  expect(await callFake(service, "A", NOTHING)).toMatchObject({ code: 2, message: "no such file" });
  expect(await callFake(service, "A", NOTHING)).toMatchObject({ code: 0 });
});
