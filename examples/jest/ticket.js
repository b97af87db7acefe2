/**
 * What is tested here: numbers that are given out once each. `store` is a Strata in the process, or a Client of any
 * etcd: their calls are the same.
 */
import { compare, op } from "strata";

export async function nextTicket(store, key) {
  for (;;) {
    const kv = await store.get(key);
    const ticket = Number(kv?.value.string() ?? 0) + 1;
    const { succeeded } = await store.txn({
      compare: [compare.modRevision(key, "=", kv?.modRevision ?? 0)],
      success: [op.put(key, `${ticket}`)],
    });
    if (succeeded) return ticket; // otherwise somebody else was quicker
  }
}
