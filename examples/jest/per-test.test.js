/** A store for each test. */
import { ManualClock, openTemporary } from "strata/testing";
import { nextTicket } from "./ticket.js";

let clock;
let temporary;
beforeEach(async () => {
  clock = new ManualClock();
  temporary = await openTemporary({ clock }); // durable, in a folder that goes with it
});
afterEach(() => temporary.remove());

test("nothing is left of other tests", async () => {
  expect(await nextTicket(temporary.store, "a")).toBe(1);
});

test("a lease ends when the test says so", async () => {
  const { store } = temporary;
  const { id } = await store.lease.grant(10);
  await store.put("session", "here", { lease: id });
  await clock.advance(9000);
  expect(await store.count("session")).toBe(1);
  const watch = store.watch("session");
  await clock.advance(2000);
  for await (const { events } of watch) {
    expect(events[0].type).toBe("delete");
    break;
  }
});
