/** The client that Node programs use: `etcd3` from npm, on @grpc/grpc-js. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Etcd3,
  EtcdLeaseInvalidError,
  EtcdLockFailedError,
  GRPCInvalidArgumentError,
  GRPCOutOfRangeError,
  type IKeyValue,
  type IOptions,
  STMConflictError,
  type Watcher,
} from "etcd3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { JUDGED, ServerProcess } from "../support/server-process.ts";

const WAIT_MS = 20_000;

/** The package's own is an enumeration that no importer can see. */
const ISOLATION = {
  serializableSnapshot: 0,
  serializable: 1,
  repeatableReads: 2,
  readCommitted: 3,
} as const;

/** A watch that broke is tried again after 100 ms each time, which by default becomes half a minute. */
const SOON: IBackoff = { duration: 100, next: () => SOON };

interface IBackoff {
  readonly duration: number;
  next(): IBackoff;
}

/** What a watcher tells, in its order. */
function told(watcher: Watcher): string[] {
  const events: string[] = [];
  watcher.on("put", (kv: IKeyValue) => events.push(`put ${kv.key}=${kv.value}`));
  watcher.on("delete", (kv: IKeyValue) => events.push(`delete ${kv.key}`));
  return events;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it never became true that ${holds}`);
    await sleep(10);
  }
}

describe(`etcd3 of npm on ${JUDGED}`, () => {
  let server: ServerProcess;
  let client: Etcd3;
  const others: Etcd3[] = [];

  const another = (options: Partial<IOptions> = {}): Etcd3 => {
    const made = new Etcd3({
      hosts: server.endpoint,
      faultHandling: { watchBackoff: SOON },
      grpcOptions: {
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.max_reconnect_backoff_ms": 200,
      },
      ...options,
    });
    others.push(made);
    return made;
  };

  beforeAll(async () => {
    server = await ServerProcess.start();
  });
  beforeEach(async () => {
    client = another();
    await client.delete().all();
  });
  afterEach(() => {
    for (const other of others.splice(0)) other.close();
  });
  afterAll(() => server?.stop("SIGKILL"));

  test("one key: put, get, previous values, bytes, numbers, JSON, what is not there", async () => {
    await client.put("foo").value("bar");
    expect(await client.get("foo")).toBe("bar");
    expect(await client.get("nothing")).toBeNull();
    expect(await client.get("foo").exists()).toBe(true);
    const before = await client.put("foo").value("new").getPrevious();
    expect([before.value.toString(), before.version]).toEqual(["bar", "1"]);
    await client.put("n").value(42);
    expect(await client.get("n").number()).toBe(42);
    await client.put("json").value(JSON.stringify({ a: [1] }));
    expect(await client.get("json").json()).toEqual({ a: [1] });
    const bytes = Buffer.from([0, 255, 128, 10, 0]);
    await client.put(bytes).value(bytes);
    expect(await client.get(bytes).buffer()).toEqual(bytes);
    const { kvs, header, count } = await client.get("foo").exec();
    expect(kvs[0]).toMatchObject({
      version: "2",
      mod_revision: before.header.revision,
      lease: "0",
    });
    expect(Number(header.revision)).toBeGreaterThan(Number(before.header.revision));
    expect(count).toBe("1");
    await client.put("foo").touch();
    expect((await client.get("foo").exec()).kvs[0]).toMatchObject({ version: "3" });
  });

  test("many keys: prefixes, ranges, limits, orders, counts", async () => {
    for (const [key, value] of Object.entries({ "a/1": "x", "a/2": "z", "a/3": "y", b: "w" })) {
      await client.put(key).value(value);
    }
    expect(await client.getAll().prefix("a/").strings()).toEqual({
      ...{ "a/1": "x", "a/2": "z", "a/3": "y" },
    });
    expect(await client.getAll().prefix("a/").count()).toBe(3);
    expect(await client.getAll().keys()).toEqual(["a/1", "a/2", "a/3", "b"]);
    expect(await client.getAll().prefix("a/").sort("Value", "Descend").limit(2).keys()).toEqual([
      ...["a/2", "a/3"],
    ]);
    expect(await client.getAll().inRange({ start: "a/2", end: "b" }).keys()).toEqual([
      ...["a/2", "a/3"],
    ]);
    const { more, count } = await client.getAll().limit(1).exec();
    expect([more, count]).toEqual([true, "4"]);
    expect(await client.delete().prefix("a/").getPrevious()).toHaveLength(3);
    expect(await client.getAll().strings()).toEqual({ b: "w" });
  });

  test("old revisions, and the errors of those that are gone or to come", async () => {
    const { header } = await client.put("k").value("old");
    await client.put("k").value("new");
    expect(await client.get("k").revision(header.revision)).toBe("old");
    await client.kv.compact({ revision: Number(header.revision) + 1, physical: true });
    await expect(client.get("k").revision(header.revision)).rejects.toThrow(
      /required revision has been compacted/,
    );
    await expect(client.get("k").revision(1e9)).rejects.toThrow(GRPCOutOfRangeError);
    await expect(client.put("").value("x")).rejects.toThrow(GRPCInvalidArgumentError);
  });

  test("transactions: comparisons decide, operations inside see each other", async () => {
    await client.put("k").value("1");
    const txn = (): Promise<{ succeeded: boolean; responses: readonly unknown[] }> =>
      client
        .if("k", "Value", "==", "1")
        .and("k", "Version", "<", 5)
        .and("nothing", "Create", "==", 0)
        .then(client.put("k").value("2"), client.get("k"))
        .else(client.delete().key("k"), client.get("k"))
        .commit();
    const first = await txn();
    expect(first.succeeded).toBe(true);
    expect(first.responses).toMatchObject([
      { response: "response_put" },
      { response_range: { kvs: [{ value: Buffer.from("2") }] } },
    ]);
    const second = await txn();
    expect(second.succeeded).toBe(false);
    expect(second.responses).toMatchObject([
      { response_delete_range: { deleted: "1" } },
      { response_range: { kvs: [], count: "0" } },
    ]);
  });

  test("software transactions: each isolation, conflicts found and tried again", async () => {
    // In one revision: this client's strictest isolation refuses to write a key that is newer than one it has read.
    const both = [client.put("a").value(100), client.put("b").value(0)];
    await client
      .if("a", "Create", "==", 0)
      .then(...both)
      .commit();
    const move = async (amount: number): Promise<void> => {
      const moved = client.stm().transact(async (tx) => {
        const a = Number(await tx.get("a").number());
        const b = Number(await tx.get("b").number());
        await tx.put("a").value(a - amount);
        await tx.put("b").value(b + amount);
      });
      await moved.catch((error: unknown) => {
        if (!(error instanceof STMConflictError)) throw error;
        return move(amount);
      });
    };
    await Promise.all(Array.from({ length: 8 }, (_, i) => move(i)));
    expect(await client.getAll().numbers()).toEqual({ a: 72, b: 28 });
    for (const isolation of [
      ISOLATION.serializableSnapshot,
      ISOLATION.serializable,
      ISOLATION.repeatableReads,
    ]) {
      const conflict = client.stm({ isolation, retries: 0 }).transact(async (tx) => {
        await tx.get("a");
        await client.put("a").value("meanwhile");
        await tx.put("a").value("lost");
      });
      await expect(conflict).rejects.toThrow(STMConflictError);
    }
    await client.stm({ isolation: ISOLATION.readCommitted }).transact(async (tx) => {
      await tx.get("a");
      await client.put("a").value("meanwhile");
      await tx.put("b").value("written");
    });
    expect(await client.get("b")).toBe("written");
  });

  test("leases: keys go with them, are kept alive by themselves, and are lost loudly", async () => {
    const lease = client.lease(60);
    await lease.put("leased").value("x");
    const id = await lease.grant();
    expect((await client.get("leased").exec()).kvs[0]?.lease).toBe(id);
    const { TTL } = await lease.keepaliveOnce();
    expect(TTL).toBe("60");
    const { keys } = await client.leaseClient.leaseTimeToLive({ ID: id, keys: true });
    expect(keys.map(String)).toEqual(["leased"]);
    await lease.revoke();
    expect(await client.get("leased")).toBeNull();
    await expect(client.put("k").lease(id).value("x")).rejects.toThrow(EtcdLeaseInvalidError);
    const short = client.lease(2, { autoKeepAlive: false });
    await short.put("brief").value("x");
    await client
      .watch()
      .key("brief")
      .only("delete")
      .create()
      .then((watcher) => once(watcher, "delete"));
    expect(await client.get("brief")).toBeNull();
    const kept = client.lease(2);
    await kept.put("kept").value("x");
    await once(kept, "keepaliveSucceeded");
    await client.leaseClient.leaseRevoke({ ID: await kept.grant() });
    await once(kept, "lost");
    expect(await client.get("kept")).toBeNull();
  });

  test("locks: one at a time, refused while held, free after", async () => {
    const lock = await client.lock("mutex").ttl(10).acquire();
    await expect(another().lock("mutex").acquire()).rejects.toThrow(EtcdLockFailedError);
    await lock.release();
    let inside = 0;
    const work = async (): Promise<boolean> => {
      try {
        await client.lock("mutex").do(async () => {
          expect(++inside).toBe(1);
          await sleep(20);
          inside--;
        });
        return true;
      } catch (error) {
        if (!(error instanceof EtcdLockFailedError)) throw error;
        return false;
      }
    };
    const won = await Promise.all(Array.from({ length: 10 }, work));
    expect(won).toContain(true);
    expect(await client.getAll().count()).toBe(0);
  });

  test("elections: one leads, proclaims, resigns; the next one follows; observers know", async () => {
    const election = client.election("post", 10);
    const first = election.campaign("one");
    await first.wait();
    const observer = await election.observe();
    const seen: (string | undefined)[] = [];
    observer.on("change", (value) => seen.push(value));
    expect(await election.leader()).toBe("one");
    const second = another().election("post", 10).campaign("two");
    await first.proclaim("uno");
    await until(() => seen.includes("uno"));
    await first.resign();
    await second.wait();
    await until(() => seen.includes("two"));
    expect(await election.leader()).toBe("two");
    await second.resign();
    await observer.cancel();
  });

  test("watches: many on one stream, prefixes, filters, previous values, from a revision on", async () => {
    const all = await client.watch().prefix("w/").create();
    const deletes = await client.watch().prefix("w/").only("delete").withPreviousKV().create();
    const heard = told(all);
    const before: (Buffer | undefined)[] = [];
    deletes.on("delete", (_, previous) => before.push(previous?.value));
    const { header } = await client.put("w/a").value("1");
    await client.put("w/b").value("2");
    await client.put("elsewhere").value("3");
    await client.delete().prefix("w/");
    const wanted = ["put w/a=1", "put w/b=2", "delete w/a", "delete w/b"];
    await until(() => heard.length === wanted.length && before.length === 2);
    expect(heard).toEqual(wanted);
    expect(before.map(String)).toEqual(["1", "2"]);
    const late = await client.watch().prefix("w/").startRevision(header.revision).create();
    const history = told(late);
    await until(() => history.length === wanted.length);
    expect(history).toEqual(wanted);
    await Promise.all([all, deletes, late].map((watcher) => watcher.cancel()));
    await client.put("w/a").value("unheard");
    await sleep(100);
    expect(heard).toEqual(wanted);
  });

  test("namespaces are out of each other's sight", async () => {
    const one = client.namespace("one/");
    const two = client.namespace("two/");
    const watcher = await two.watch().prefix("").create();
    const heard = told(watcher);
    await one.put("k").value("1");
    await two.put("k").value("2");
    expect(await one.getAll().strings()).toEqual({ k: "1" });
    expect(await client.getAll().strings()).toEqual({ "one/k": "1", "two/k": "2" });
    await one.delete().all();
    await until(() => heard.length === 1);
    expect(heard).toEqual(["put k=2"]);
    await watcher.cancel();
  });

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    test(`a restart after ${signal}: requests go on, watches resume, leases live`, async () => {
      const lease = client.lease(30);
      await lease.put("leased").value("x");
      const watcher = await client.watch().prefix("r/").create();
      const heard = told(watcher);
      await client.put("r/1").value("a");
      await until(() => heard.length === 1);
      await server.stop(signal);
      await expect(client.get("r/1")).rejects.toThrow();
      const broken = once(watcher, "connected");
      await server.start();
      const writer = another();
      await writer.put("r/2").value("b");
      await broken;
      await writer.put("r/3").value("c");
      await until(() => heard.length === 3);
      expect(heard).toEqual(["put r/1=a", "put r/2=b", "put r/3=c"]);
      expect(await client.getAll().prefix("r/").keys()).toEqual(["r/1", "r/2", "r/3"]);
      expect((await lease.keepaliveOnce()).TTL).toBe("30");
      await watcher.cancel();
      await lease.revoke();
      expect(await client.get("leased")).toBeNull();
    });
  }
});
