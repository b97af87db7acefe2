/** Lock and Election, over calls without a wire. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { callFake, type FakeCall, startFake } from "../../../test/support/fake-call.ts";
import { Strata } from "../../engine/strata.ts";
import * as election from "../../proto/gen/etcd/server/v3electionpb/v3election_pb.ts";
import * as lock from "../../proto/gen/etcd/server/v3lockpb/v3lock_pb.ts";
import type { LazyService } from "./lazy-service.ts";
import { longTailServices } from "./long-tail.ts";
import { ServiceContext } from "./service-context.ts";

const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

class Rig implements AsyncDisposable {
  readonly store: Strata;
  readonly #services: readonly LazyService[];

  constructor(store: Strata) {
    this.store = store;
    this.#services = longTailServices(new ServiceContext(store.member));
  }

  start<I extends DescMessage>(path: string, schema: I, init: MessageInitShape<I>): FakeCall {
    const [name, method = ""] = path.split("/");
    return startFake(this.#service(name), method, toBinary(schema, create(schema, init)));
  }

  async refused<I extends DescMessage>(
    path: string,
    schema: I,
    init: MessageInitShape<I>,
  ): Promise<string> {
    const [name, method = ""] = path.split("/");
    const bytes = toBinary(schema, create(schema, init));
    const { code, message } = await callFake(this.#service(name), method, bytes);
    return `${code} ${message}`;
  }

  lock(lease: bigint): FakeCall {
    return this.start("v3lockpb.Lock/Lock", lock.LockRequestSchema, { name: utf8("lk"), lease });
  }

  campaign(lease: bigint, value: string): FakeCall {
    const init = { name: utf8("el"), lease, value: utf8(value) };
    return this.start("v3electionpb.Election/Campaign", election.CampaignRequestSchema, init);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }

  #service(name: string | undefined): LazyService {
    const found = this.#services.find((each) => each.name === name);
    if (found === undefined) throw new Error(name);
    return found;
  }
}

async function open(leases: readonly bigint[]): Promise<Rig> {
  const store = await Strata.open({ memory: true });
  for (const id of leases) await store.lease.grant(600, { id });
  return new Rig(store);
}

const locked = async (call: FakeCall): Promise<string> =>
  text(fromBinary(lock.LockResponseSchema, await call.next()).key);

/** Long enough for everything that is ready to happen. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test("a lock goes from one to the next, in the order of their coming", async () => {
  await using rig = await open([0x2bcn, 0x2bdn, 0x2ben]);
  const first = rig.lock(0x2bcn);
  expect(await locked(first)).toBe("lk/2bc");
  expect(await locked(rig.lock(0x2bcn))).toBe("lk/2bc");
  const second = rig.lock(0x2bdn);
  await settle();
  const third = rig.lock(0x2ben);
  await settle();
  expect([second.ended, third.ended]).toEqual([false, false]);
  const unlock = (key: string): Promise<string> =>
    rig.refused("v3lockpb.Lock/Unlock", lock.UnlockRequestSchema, { key: utf8(key) });
  expect(await unlock("lk/2bc")).toBe("0 ");
  expect(await locked(second)).toBe("lk/2bd");
  expect(third.ended).toBe(false);
  await rig.store.lease.revoke(0x2bdn);
  expect(await locked(third)).toBe("lk/2be");
  expect(await unlock("lk/nobody")).toBe("0 ");
});

test("who waits and goes away leaves the queue, and whose lease ends is told", async () => {
  await using rig = await open([1n, 2n, 3n]);
  await locked(rig.lock(1n));
  const second = rig.lock(2n);
  await settle();
  const third = rig.lock(3n);
  await settle();
  second.cancel();
  while (await rig.store.get("lk/2")) await settle();
  await rig.store.lease.revoke(3n);
  expect(await third.whenEnded()).toEqual({
    code: 2,
    message: "etcdserver: requested lease not found",
  });
  expect(await rig.store.count({ prefix: "lk/" })).toBe(1);
});

test("a lock without a lease has one of 60 s; a lease that is not there is refused", async () => {
  await using rig = await open([]);
  const key = await locked(rig.lock(0n));
  const [id = 0n] = await rig.store.lease.list();
  expect(key).toBe(`lk/${id.toString(16)}`);
  expect(await rig.store.lease.timeToLive(id)).toMatchObject({ grantedTtl: 60 });
  expect(await rig.lock(77n).whenEnded()).toEqual({
    code: 2,
    message: "etcdserver: requested lease not found",
  });
});

const leaderOf = async (call: FakeCall): Promise<election.LeaderKey | undefined> =>
  fromBinary(election.CampaignResponseSchema, await call.next()).leader;

test("leaders follow each other, and who observes sees each proposal", async () => {
  await using rig = await open([10n, 11n]);
  const name = utf8("el");
  const ask = (method: string): string => `v3electionpb.Election/${method}`;
  const leader = (): Promise<string> =>
    rig.refused(ask("Leader"), election.LeaderRequestSchema, { name });
  expect(await leader()).toBe("2 election: no leader");
  const observed = rig.start(ask("Observe"), election.LeaderRequestSchema, { name });
  const seen = async (): Promise<string> => {
    const { kv, header } = fromBinary(election.LeaderResponseSchema, await observed.next());
    expect(header?.memberId).toBe(rig.store.member.cluster.localId);
    return `${text(kv?.key)} ${text(kv?.value)}`;
  };
  await settle();
  const first = await leaderOf(rig.campaign(10n, "a"));
  expect(first).toMatchObject({ rev: 2n, lease: 10n });
  expect([text(first?.name), text(first?.key)]).toEqual(["el", "el/a"]);
  expect(await seen()).toBe("el/a a");
  expect(await leader()).toBe("0 ");

  const proclaim = (who: election.LeaderKey | undefined, value: string): Promise<string> =>
    rig.refused(ask("Proclaim"), election.ProclaimRequestSchema, {
      ...(who && { leader: who }),
      value: utf8(value),
    });
  expect(await proclaim(first, "a2")).toBe("0 ");
  expect(await seen()).toBe("el/a a2");
  // The same once more: another proposal of his.
  expect(await leaderOf(rig.campaign(10n, "a3"))).toMatchObject({ rev: 2n });
  expect(await seen()).toBe("el/a a3");

  const second = rig.campaign(11n, "b");
  await settle();
  expect(second.ended).toBe(false);
  const resign = (who: election.LeaderKey | undefined): Promise<string> =>
    rig.refused(
      ask("Resign"),
      election.ResignRequestSchema,
      who === undefined ? {} : { leader: who },
    );
  expect(await resign(first)).toBe("0 ");
  expect(await leaderOf(second)).toMatchObject({ lease: 11n });
  expect(await seen()).toBe("el/b b");
  expect(await resign(first)).toBe("0 ");
  expect(await proclaim(first, "x")).toBe("2 election: not leader");
  expect(await proclaim(undefined, "x")).toBe('2 "leader" field must be provided');
  expect(await resign(undefined)).toBe('2 "leader" field must be provided');
  observed.cancel();
  await settle();
  expect(rig.store.member.watches.watchers).toBe(0);
});
