/** One store for all tests of a file: each worker opens its own, so files run beside each other. */
import { Strata } from "strata";
import { nextTicket } from "./ticket.js";

let store;
beforeAll(async () => {
  store = await Strata.open({ memory: true });
});
afterAll(() => store.close());

test("tickets are counted from one", async () => {
  expect([await nextTicket(store, "a"), await nextTicket(store, "a")]).toEqual([1, 2]);
});

test("twenty at once get twenty", async () => {
  const tickets = await Promise.all(Array.from({ length: 20 }, () => nextTicket(store, "b")));
  expect(new Set(tickets).size).toBe(20);
});
