import { expect, test } from "vitest";
import { MemoryTree } from "../../native-free/memory-tree.ts";
import { Strata } from "../engine/strata.ts";

const LEARNER = ["http://127.0.0.1:24855"];

test("a learner is listed until it is removed, also by who opens the data dir again", async () => {
  const disk = new MemoryTree();
  let id: bigint;
  {
    await using store = await Strata.open({ disk });
    const { members, cluster } = store.member;
    ({ id } = await members.add(LEARNER, true));
    expect(
      members
        .list()
        .map(({ isLearner }) => isLearner)
        .sort(),
    ).toEqual([false, true]);
    expect(cluster.member(id)).toEqual({
      id,
      name: "",
      peerUrls: LEARNER,
      clientUrls: [],
      isLearner: true,
    });
    expect(cluster.confState()).toMatchObject({ voters: [cluster.localId], learners: [id] });
  }
  {
    await using store = await Strata.open({ disk });
    const { members, cluster } = store.member;
    expect(cluster.member(id)?.peerUrls).toEqual(LEARNER);
    await members.remove(id);
    expect(members.list().map(({ id: each }) => each)).toEqual([cluster.localId]);
  }
  await using store = await Strata.open({ disk });
  expect(store.member.members.list()).toHaveLength(1);
  expect(store.member.cluster.isRemoved(id)).toBe(true);
});

test("other peer URLs stay with the member, whose id they were made of", async () => {
  const disk = new MemoryTree();
  let id: bigint;
  {
    await using store = await Strata.open({ disk });
    id = store.member.cluster.localId;
    await store.member.members.update(id, ["http://127.0.0.1:24801"]);
  }
  await using store = await Strata.open({ disk });
  expect(store.member.cluster.localId).toBe(id);
  const [member] = store.member.members.list();
  expect(member).toMatchObject({ id, name: "default", peerUrls: ["http://127.0.0.1:24801"] });
});

test("what etcd refuses is refused, and a second voter besides", async () => {
  await using store = await Strata.open({ memory: true });
  const { members, cluster } = store.member;
  const own = cluster.localId;
  const taken = ["http://localhost:2380"];
  const refusals: [Promise<unknown>, string][] = [
    [members.add([], true), "MEMBER_BAD_URLS"],
    [members.add(["http://127.0.0.1"], false), "MEMBER_BAD_URLS"],
    [members.add(taken, false), "PEER_URL_EXIST"],
    [members.add(taken, true), "PEER_URL_EXIST"],
    [members.add(LEARNER, false), "MEMBER_NOT_ENOUGH_STARTED"],
    [members.remove(0x1234n), "MEMBER_NOT_FOUND"],
    [members.remove(own), "MEMBER_NOT_ENOUGH_STARTED"],
    [members.update(0x1234n, LEARNER), "MEMBER_NOT_FOUND"],
    [members.update(0x1234n, []), "MEMBER_NOT_FOUND"],
    [members.update(own, ["127.0.0.1:1"]), "MEMBER_BAD_URLS"],
  ];
  for (const [refused, code] of refusals) await expect(refused).rejects.toMatchObject({ code });

  const { id } = await members.add(LEARNER, true);
  const more: [Promise<unknown>, string][] = [
    [members.add(["http://127.0.0.1:24856"], true), "TOO_MANY_LEARNERS"],
    [members.update(id, taken), "PEER_URL_EXIST"],
  ];
  for (const [refused, code] of more) await expect(refused).rejects.toMatchObject({ code });
  expect(() => members.promote(id)).toThrow("which is in sync with leader");
  expect(() => members.promote(own)).toThrow("can only promote a learner member");
  expect(() => members.promote(1n)).toThrow("member not found");
});

test("of two changes at a time that exclude each other one is made", async () => {
  await using store = await Strata.open({ memory: true });
  const { members } = store.member;
  const outcomes = await Promise.allSettled([
    members.add(["http://127.0.0.1:1"], true),
    members.add(["http://127.0.0.1:2"], true),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(members.list()).toHaveLength(2);
});
