import { expect, test } from "vitest";
import { describeWithPeers, judgeSurroundings, type Surroundings } from "./describe-with-peers.ts";
import { type PeerName, peer, peerPath } from "./peers.ts";

const said: string[] = [];

function around(ci: boolean, missing: readonly PeerName[]): Surroundings {
  said.length = 0;
  return {
    ci,
    find: (name) =>
      missing.includes(name)
        ? { found: false, why: `no ${name} on PATH` }
        : { found: true, path: `/bin/${name}`, version: "1" },
    say: (line) => said.push(line),
  };
}

test("with all peers there the tests run, and nothing is said", () => {
  for (const ci of [false, true]) {
    const verdict = judgeSurroundings("x", ["etcd", "flock"], around(ci, ["python3"]));
    expect(verdict).toEqual({ kind: "run" });
    expect(said).toEqual([]);
  }
});

test("in CI a missing peer is a failure that names every one that is missing", () => {
  const verdict = judgeSurroundings("x", ["etcd", "go-bbolt"], around(true, ["etcd", "go-bbolt"]));
  expect(verdict).toEqual({
    kind: "fail",
    why: "missing: etcd (no etcd on PATH), go-bbolt (no go-bbolt on PATH)",
  });
});

test("what cannot be had everywhere is skipped in CI too, as loudly, but excuses nothing else", () => {
  expect(judgeSurroundings("x", ["h2spec"], around(true, ["h2spec"])).kind).toBe("skip");
  expect(said).toEqual(["SKIPPED, NOT TESTED: x: missing: h2spec (no h2spec on PATH)"]);
  const both = judgeSurroundings("x", ["h2spec", "etcd"], around(true, ["h2spec", "etcd"]));
  expect(both.kind).toBe("fail");
});

test("elsewhere a missing peer is one loud line and a skip", () => {
  const verdict = judgeSurroundings("snapshots", ["etcdctl"], around(false, ["etcdctl"]));
  expect(verdict).toEqual({ kind: "skip", why: "missing: etcdctl (no etcdctl on PATH)" });
  expect(said).toEqual(["SKIPPED, NOT TESTED: snapshots: missing: etcdctl (no etcdctl on PATH)"]);
});

const all = ["etcd", "etcdctl", "go-bbolt", "flock", "python3"] as const;

describeWithPeers("every peer", all, () => {
  test("has a path and a version of the line it is judged by", () => {
    for (const name of all) {
      const found = peer(name);
      expect(found).toMatchObject({ found: true, version: expect.stringMatching(/^\d+\.\d+/) });
      expect(peerPath(name)).toMatch(/^\//);
    }
    expect(peer("etcd")).toMatchObject({ version: expect.stringMatching(/^3\.4\./) });
    expect(peer("etcdctl")).toMatchObject({ version: expect.stringMatching(/^3\.4\./) });
  });
});
