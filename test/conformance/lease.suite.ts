/** Leases: api.md 6. */
import { expect, test } from "vitest";
import { FROM_KEY, type Subject } from "./client.ts";
import { expectRefusal } from "./errors.ts";
import { describeOn } from "./suite.ts";

const EVERY = { key: "\0", rangeEnd: FROM_KEY };

export function describeLease(subject: Subject): void {
  describeOn("leases", subject, {}, (on) => {
    test("grant: an id of one's own, or a positive one that is chosen; no new revision", async () => {
      expect(await on.client.leaseGrant(600, 77n)).toEqual({ id: 77n, ttl: 600 });
      const { id, ttl } = await on.client.leaseGrant(100);
      expect([id > 0n, id < 2n ** 63n, ttl]).toEqual([true, true, 100]);
      expect(await on.client.leaseGrant(100, -77n)).toEqual({ id: -77n, ttl: 100 });
      expect(await on.client.leaseGrant(100, -(2n ** 63n))).toMatchObject({ id: -(2n ** 63n) });
      expect(await on.client.leaseGrant(100, 2n ** 63n - 1n)).toMatchObject({ id: 2n ** 63n - 1n });
      expect(await on.revision()).toBe(on.base);
    });

    test.each([1, 0, -1, -1_000_000])("a TTL of %i is raised to 2 seconds", async (ttl) => {
      expect((await on.client.leaseGrant(ttl)).ttl).toBe(2);
    });

    test("the longest TTL, and one too long", async () => {
      expect((await on.client.leaseGrant(9_000_000_000)).ttl).toBe(9_000_000_000);
      await expectRefusal(on.client.leaseGrant(9_000_000_001), "ttlTooLarge");
    });

    test("an id that is in use", async () => {
      await on.client.leaseGrant(600, 5n);
      await expectRefusal(on.client.leaseGrant(600, 5n), "leaseExists");
      await on.client.leaseRevoke(5n);
      expect((await on.client.leaseGrant(600, 5n)).id).toBe(5n);
    });

    test("revoke deletes the keys, all in one revision; without keys there is none", async () => {
      const { id } = await on.client.leaseGrant(600);
      await on.client.leaseRevoke(id);
      expect(await on.revision()).toBe(on.base);
      await on.client.leaseGrant(600, 6n);
      for (const key of ["b", "a"]) await on.client.put({ key, value: "1", lease: 6n });
      await on.puts(["c", "1"]);
      await on.client.leaseRevoke(6n);
      expect(await on.revision()).toBe(on.base + 4);
      expect(await on.all()).toEqual(["c=1"]);
      expect(await on.all(on.base + 3)).toEqual(["a=1", "b=1", "c=1"]);
      await expectRefusal(on.client.leaseRevoke(6n), "leaseNotFound");
    });

    test("a key hangs on the lease of its last put", async () => {
      await on.client.leaseGrant(600, 1n);
      await on.client.leaseGrant(600, 2n);
      const keys = async (): Promise<unknown> => [
        (await on.client.leaseTimeToLive(1n, true)).keys,
        (await on.client.leaseTimeToLive(2n, true)).keys,
      ];
      for (const key of ["a", "b", "c", "d"]) await on.client.put({ key, lease: 1n });
      await on.client.put({ key: "b", lease: 2n });
      await on.client.put({ key: "c" });
      await on.client.put({ key: "a", ignoreLease: true });
      expect(await keys()).toEqual([["a", "d"], ["b"]]);
      await on.client.delete({ key: "d" });
      await on.puts(["d", "again"]);
      expect(await keys()).toEqual([["a"], ["b"]]);
      await on.client.leaseRevoke(1n);
      expect((await on.client.range(EVERY)).kvs.map(({ key }) => key)).toEqual(["b", "c", "d"]);
    });

    test("in a transaction too", async () => {
      await on.client.leaseGrant(600, 1n);
      const success = [{ put: { key: "a", lease: 1n } }, { put: { key: "b", lease: 1n } }];
      await on.client.txn({ success });
      await on.client.txn({ success: [{ put: { key: "a" } }] });
      expect((await on.client.leaseTimeToLive(1n, true)).keys).toEqual(["b"]);
    });

    test("time to live; of none it is -1", async () => {
      await on.client.leaseGrant(600, 9n);
      await on.client.put({ key: "a", lease: 9n });
      const { ttl, grantedTtl, keys } = await on.client.leaseTimeToLive(9n);
      expect([ttl === 599 || ttl === 600, grantedTtl, keys]).toEqual([true, 600, []]);
      expect(await on.client.leaseTimeToLive(123n, true)).toEqual({
        ttl: -1,
        grantedTtl: 0,
        keys: [],
      });
    });

    test("keeping alive; of none it is 0", async () => {
      await on.client.leaseGrant(600, 9n);
      expect(await on.client.leaseKeepAlive(9n)).toBe(600);
      expect(await on.client.leaseKeepAlive(123n)).toBe(0);
    });

    test("all of them, the soonest to expire first", async () => {
      for (const [id, ttl] of [
        [1n, 500],
        [2n, 100],
        [3n, 900],
      ] as const) {
        await on.client.leaseGrant(ttl, id);
      }
      expect(await on.client.leases()).toEqual([2n, 1n, 3n]);
      await on.client.leaseGrant(50, 4n);
      await on.client.leaseRevoke(2n);
      expect(await on.client.leases()).toEqual([4n, 1n, 3n]);
    });

    test("expiry deletes the keys, unless somebody keeps the lease alive", async () => {
      await on.client.leaseGrant(2, 1n);
      await on.client.leaseGrant(4, 2n);
      await on.client.put({ key: "a", value: "1", lease: 1n });
      await on.client.put({ key: "b", value: "2", lease: 2n });
      const watch = await on.watch(EVERY);
      await on.pass(1000);
      expect(await on.client.leaseKeepAlive(2n)).toBe(4);
      expect(await on.all()).toEqual(["a=1", "b=2"]);
      await on.pass(1800);
      expect(await watch.told(1, on.base)).toEqual(["delete a@3"]);
      expect(await on.client.leases()).toEqual([2n]);
      expect(await on.client.leaseKeepAlive(1n)).toBe(0);
      await expectRefusal(on.client.put({ key: "a", lease: 1n }), "leaseNotFound");
      await on.pass(3200);
      expect(await watch.told(1, on.base)).toEqual(["delete b@4"]);
    });

    test("a restart keeps leases and what hangs on them", async () => {
      await on.client.leaseGrant(600, 1n);
      await on.client.leaseGrant(3, 2n);
      await on.client.put({ key: "a", value: "1", lease: 1n });
      await on.client.put({ key: "b", value: "2", lease: 2n });
      await on.client.put({ key: "c", value: "2", lease: 2n });
      await on.client.put({ key: "c", value: "3" });
      const { restart } = on;
      if (restart === undefined) return;
      await restart();
      expect([...(await on.client.leases())].sort()).toEqual([1n, 2n]);
      expect((await on.client.leaseTimeToLive(2n, true)).keys).toEqual(["b"]);
      expect((await on.client.leaseTimeToLive(1n)).grantedTtl).toBe(600);
      await on.pass(5500);
      expect(await on.all()).toEqual(["a=1", "c=3"]);
      await on.client.leaseRevoke(1n);
      expect(await on.all()).toEqual(["c=3"]);
    });
  });
}
