/** A program that wants an endpoint: all files share the server of `global-setup.js`, each with keys of its own. */
import { randomUUID } from "node:crypto";
import { Client } from "strata/client";
import { afterAll, expect, inject, test } from "vitest";
import { nextTicket } from "./ticket.js";

const client = new Client({ endpoints: inject("etcd") });
const prefix = `${randomUUID()}/`;
afterAll(async () => {
  await client.delete({ prefix });
  await client.close();
});

test("tickets by the network", async () => {
  expect(await nextTicket(client, `${prefix}a`)).toBe(1);
  expect(await nextTicket(client, `${prefix}a`)).toBe(2);
});
