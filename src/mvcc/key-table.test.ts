import { expect, test } from "vitest";
import { rng } from "../../test/support/rng.ts";
import { KeyTable } from "./key-table.ts";

test("random additions and deletions agree with a Map", () => {
  const random = rng(3);
  const table = new KeyTable();
  const held = new Map<string, number>();
  const freeIds: number[] = [];
  let ids = 0;
  const smallest = table.slotBytes;
  for (let round = 0; round < 60_000; round++) {
    const grows = round % 20_000 < 12_000;
    const key = `${random.int(8000)}`;
    const id = held.get(key);
    expect(table.get(key)).toBe(id ?? -1);
    if (id === undefined && grows) {
      const added = freeIds.pop() ?? ids++;
      table.add(key, added);
      held.set(key, added);
    } else if (id !== undefined && (!grows || random.bool(0.3))) {
      table.delete(key, id);
      expect(table.keyOf(id)).toBeUndefined();
      held.delete(key);
      freeIds.push(id);
    }
  }
  for (const [key, id] of held) {
    expect(table.get(key)).toBe(id);
    expect(table.keyOf(id)).toBe(key);
    table.delete(key, id);
  }
  expect(table.slotBytes).toBe(smallest);
});
