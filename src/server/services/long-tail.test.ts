import { createHash } from "node:crypto";
import {
  create,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type Answer,
  callFake,
  type FakeCallOptions,
  startFake,
} from "../../../test/support/fake-call.ts";
import { Strata } from "../../engine/strata.ts";
import * as pb from "../../proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { AlarmAction, AlarmType } from "../../proto/messages.ts";
import type { LazyService } from "./lazy-service.ts";
import { longTailServices } from "./long-tail.ts";
import { ServiceContext } from "./service-context.ts";

type Schema = typeof pb.StatusRequestSchema | Parameters<typeof create>[0];

const TOKEN = { metadata: { token: "abcdefghijklmnop.17" } };

class Client {
  readonly #services: readonly LazyService[];

  constructor(store: Strata) {
    this.#services = longTailServices(new ServiceContext(store.member));
  }

  service(name: string): LazyService {
    const found = this.#services.find((each) => each.name === `etcdserverpb.${name}`);
    if (found === undefined) throw new Error(name);
    return found;
  }

  /** @param path  as in `Cluster/MemberList` */
  async call<I extends Schema, O extends Schema>(
    path: string,
    input: I,
    output: O,
    init: MessageInitShape<I>,
    options?: FakeCallOptions,
  ): Promise<MessageShape<O>> {
    const answer = await this.raw(path, toBinary(input, create(input, init)), options);
    expect([answer.code, answer.message]).toEqual([0, ""]);
    expect(answer.messages).toHaveLength(1);
    return fromBinary(output, answer.messages[0] as Buffer);
  }

  /** @returns what it was refused with, as `code text` */
  async refused<I extends Schema>(
    path: string,
    input: I,
    init: MessageInitShape<I>,
    options?: FakeCallOptions,
  ): Promise<string> {
    const answer = await this.raw(path, toBinary(input, create(input, init)), options);
    return `${answer.code} ${answer.message}`;
  }

  raw(path: string, bytes: Uint8Array, options?: FakeCallOptions): Promise<Answer> {
    const [name = "", method = ""] = path.split("/");
    return callFake(this.service(name), method, bytes, options);
  }
}

async function open(): Promise<AsyncDisposable & { store: Strata; client: Client }> {
  const store = await Strata.open(
    { memory: true },
    { peerUrls: ["http://127.0.0.1:24800"], clientUrls: ["http://127.0.0.1:24790"] },
  );
  const client = new Client(store);
  return { store, client, [Symbol.asyncDispose]: () => store.close() };
}

const HEADER = { clusterId: 0x263de8252887371cn, memberId: 0x886b03c4ae679a15n, raftTerm: 2n };

test("members are listed, a learner is added and removed, as etcd answers", async () => {
  await using rig = await open();
  const { client } = rig;
  const listed = await client.call(
    "Cluster/MemberList",
    pb.MemberListRequestSchema,
    pb.MemberListResponseSchema,
    { linearizable: true },
  );
  expect(listed.header).toMatchObject({ ...HEADER, revision: 0n });
  expect(listed.members).toMatchObject([
    {
      ID: HEADER.memberId,
      name: "default",
      peerURLs: ["http://127.0.0.1:24800"],
      clientURLs: ["http://127.0.0.1:24790"],
      isLearner: false,
    },
  ]);
  const add = { peerURLs: ["http://127.0.0.1:24855"], isLearner: true };
  const { member, members } = await client.call(
    "Cluster/MemberAdd",
    pb.MemberAddRequestSchema,
    pb.MemberAddResponseSchema,
    add,
  );
  expect(member).toMatchObject({ name: "", clientURLs: [], ...add });
  expect(members).toHaveLength(2);
  const ID = member?.ID ?? 0n;
  const refused = (init: object, method: string, input: Schema): Promise<string> =>
    client.refused(`Cluster/${method}`, input, init);
  expect(await refused({ ID }, "MemberPromote", pb.MemberPromoteRequestSchema)).toBe(
    "9 etcdserver: can only promote a learner member which is in sync with leader",
  );
  const more = { ...add, peerURLs: [...add.peerURLs, "http://127.0.0.1:24856"] };
  expect(await refused(more, "MemberAdd", pb.MemberAddRequestSchema)).toBe(
    "9 etcdserver: Peer URLs already exists",
  );
  expect(await refused({ ID: 5n }, "MemberRemove", pb.MemberRemoveRequestSchema)).toBe(
    "5 etcdserver: member not found",
  );
  const peerURLs = ["http://127.0.0.1:24801"];
  const updated = await client.call(
    "Cluster/MemberUpdate",
    pb.MemberUpdateRequestSchema,
    pb.MemberUpdateResponseSchema,
    { ID: HEADER.memberId, peerURLs },
  );
  expect(updated.members.map((each) => each.peerURLs)).toContainEqual(peerURLs);
  const removed = await client.call(
    "Cluster/MemberRemove",
    pb.MemberRemoveRequestSchema,
    pb.MemberRemoveResponseSchema,
    { ID },
  );
  expect(removed.members).toHaveLength(1);
});

test("a second voter is refused: it would be waited for", async () => {
  await using rig = await open();
  const refusal = await rig.client.refused("Cluster/MemberAdd", pb.MemberAddRequestSchema, {
    peerURLs: ["http://127.0.0.1:24855"],
  });
  expect(refusal).toBe("9 etcdserver: re-configuration failed due to not enough started members");
});

test("status tells everything that a 3.6 tells, and its alarms as Go prints them", async () => {
  await using rig = await open();
  await rig.store.put("foo", "bar");
  await rig.store.alarms.activate("noSpace");
  await rig.store.member.alarm(AlarmAction.activate, 0n, AlarmType.corrupt);
  const status = await rig.client.call(
    "Maintenance/Status",
    pb.StatusRequestSchema,
    pb.StatusResponseSchema,
    {},
  );
  const { memberId } = HEADER;
  expect(status).toMatchObject({
    header: { ...HEADER, revision: 2n },
    version: expect.stringMatching(/^3\.5\.\d+$/),
    leader: memberId,
    raftTerm: 2n,
    isLearner: false,
    storageVersion: "3.5.0",
    dbSizeQuota: 2147483648n,
    downgradeInfo: { enabled: false, targetVersion: "" },
    errors: [`memberID:${memberId} alarm:NOSPACE `, "alarm:CORRUPT "],
  });
  expect(status.dbSize).toBeGreaterThan(0n);
  expect(status.raftIndex).toBeGreaterThanOrEqual(status.raftAppliedIndex);
});

test("alarms are raised, listed and disarmed", async () => {
  await using rig = await open();
  const alarm = async (init: MessageInitShape<typeof pb.AlarmRequestSchema>) => {
    const { header, alarms } = await rig.client.call(
      "Maintenance/Alarm",
      pb.AlarmRequestSchema,
      pb.AlarmResponseSchema,
      init,
    );
    expect(header).toMatchObject(HEADER);
    return alarms.map((each) => `${each.memberID} ${each.alarm}`);
  };
  expect(await alarm({})).toEqual([]);
  expect(await alarm({ action: AlarmAction.activate, memberID: 7n, alarm: 1 })).toEqual(["7 1"]);
  expect(await alarm({ alarm: 2 })).toEqual([]);
  expect(await alarm({})).toEqual(["7 1"]);
  expect(await alarm({ action: AlarmAction.deactivate, memberID: 8n, alarm: 1 })).toEqual([]);
  expect(await alarm({ action: AlarmAction.deactivate, memberID: 7n, alarm: 1 })).toEqual(["7 1"]);
  expect(await alarm({})).toEqual([]);
});

test("the hash of the history is the golden one's", async () => {
  await using rig = await open();
  await rig.store.put("foo", "bar");
  await rig.store.put("foo", "bar2");
  const hash = (revision: bigint) =>
    rig.client.call("Maintenance/HashKV", pb.HashKVRequestSchema, pb.HashKVResponseSchema, {
      revision,
    });
  expect(await hash(0n)).toMatchObject({
    header: { ...HEADER, revision: 3n },
    hash: 3581052765,
    compactRevision: -1n,
    hashRevision: 3n,
  });
  expect(await hash(2n)).toMatchObject({ hash: 3305255506, hashRevision: 2n });
  expect(
    await rig.client.refused("Maintenance/HashKV", pb.HashKVRequestSchema, { revision: 99n }),
  ).toBe("11 etcdserver: mvcc: required revision is a future revision");
  const whole = await rig.client.call(
    "Maintenance/Hash",
    pb.HashRequestSchema,
    pb.HashResponseSchema,
    {},
  );
  expect(whole.hash).toBeGreaterThan(0);
});

test("leadership moves to who has it, and to nobody else", async () => {
  await using rig = await open();
  const { header } = await rig.client.call(
    "Maintenance/MoveLeader",
    pb.MoveLeaderRequestSchema,
    pb.MoveLeaderResponseSchema,
    { targetID: HEADER.memberId },
  );
  expect(header).toMatchObject(HEADER);
  expect(
    await rig.client.refused("Maintenance/MoveLeader", pb.MoveLeaderRequestSchema, {
      targetID: 0x1234n,
    }),
  ).toBe("9 etcdserver: bad leader transferee");
});

test.each([
  [0, "3.3", "0 "],
  [0, "3.3.7", "0 "],
  [0, "3", "3 etcdserver: wrong downgrade target version format"],
  [1, "x.y", "3 etcdserver: wrong downgrade target version format"],
  [0, "3.4", "3 etcdserver: invalid downgrade target version"],
  [1, "3.2", "3 etcdserver: invalid downgrade target version"],
  [2, "", "9 etcdserver: no inflight downgrade job"],
  [9, "3.3", "2 etcdserver: unknown method"],
])("downgrade, action %i, target %j: %s", async (action, version, expected) => {
  await using rig = await open();
  const init = { action: action as 0, version };
  expect(await rig.client.refused("Maintenance/Downgrade", pb.DowngradeRequestSchema, init)).toBe(
    expected,
  );
});

test("a snapshot comes in pieces of 32 KiB that count down, and its checksum", async () => {
  await using rig = await open();
  for (let i = 0; i < 40; i++) await rig.store.put(`k${i}`, "x".repeat(5000));
  const { code, messages } = await rig.client.raw("Maintenance/Snapshot", new Uint8Array(0));
  expect(code).toBe(0);
  const pieces = messages.map((each) => fromBinary(pb.SnapshotResponseSchema, each));
  const checksum = pieces.pop();
  const total = pieces.reduce((sum, { blob }) => sum + blob.length, 0);
  expect(total % 512).toBe(0);
  expect(total).toBeGreaterThan(200_000);
  const hash = createHash("sha256");
  let left = total;
  for (const { blob, remainingBytes, version } of pieces) {
    expect(blob.length).toBe(Math.min(32768, left));
    left -= blob.length;
    expect([remainingBytes, version]).toEqual([BigInt(left), "3.5.0"]);
    hash.update(blob);
  }
  expect(left).toBe(0);
  expect(Buffer.from(checksum?.blob ?? []).toString("hex")).toBe(hash.digest("hex"));
  expect([checksum?.remainingBytes, checksum?.version]).toEqual([0n, "3.5.0"]);
});

test("a snapshot waits for who reads slowly, and is given up with the call", async () => {
  await using rig = await open();
  for (let i = 0; i < 40; i++) await rig.store.put(`k${i}`, "x".repeat(5000));
  const service = rig.client.service("Maintenance");
  await service.load();
  const call = startFake(service, "Snapshot", new Uint8Array(0));
  call.setFull(true);
  await call.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(call.messages).toHaveLength(1);
  expect(rig.store.status().readers).toHaveLength(1);
  call.cancel();
  while (rig.store.status().readers.length > 0)
    await new Promise((resolve) => setImmediate(resolve));
  expect(call.messages).toHaveLength(1);
});

test("a defragmentation gives free pages back and loses nothing", async () => {
  await using rig = await open();
  for (let i = 0; i < 60; i++) await rig.store.put(`k${i}`, "x".repeat(5000));
  await rig.store.delete({ prefix: "k1" });
  await rig.store.compact(rig.store.status().revision, { physical: true });
  const before = rig.store.status().sizeBytes;
  const { header } = await rig.client.call(
    "Maintenance/Defragment",
    pb.DefragmentRequestSchema,
    pb.DefragmentResponseSchema,
    {},
  );
  expect(header).toMatchObject(HEADER);
  expect(rig.store.status().sizeBytes).toBeLessThan(before);
  expect(await rig.store.count({ prefix: "k" })).toBe(49);
});

test("with auth off: what etcd answers, and no users", async () => {
  await using rig = await open();
  const { client } = rig;
  expect(await client.refused("Auth/AuthEnable", pb.AuthEnableRequestSchema, {})).toBe(
    "9 etcdserver: root user does not exist",
  );
  expect(await client.refused("Auth/AuthDisable", pb.AuthDisableRequestSchema, {})).toBe("0 ");
  expect(
    await client.refused("Auth/Authenticate", pb.AuthenticateRequestSchema, { name: "root" }),
  ).toBe("9 etcdserver: authentication is not enabled");
  expect(
    await client.call(
      "Auth/AuthStatus",
      pb.AuthStatusRequestSchema,
      pb.AuthStatusResponseSchema,
      {},
    ),
  ).toMatchObject({ header: HEADER, enabled: false, authRevision: 1n });
  expect(await client.refused("Auth/UserAdd", pb.AuthUserAddRequestSchema, { name: "root" })).toBe(
    "12 etcdserver: users and roles are not supported by this server",
  );
  for (const [path, request, response] of [
    ["Auth/UserList", pb.AuthUserListRequestSchema, pb.AuthUserListResponseSchema],
    ["Auth/RoleList", pb.AuthRoleListRequestSchema, pb.AuthRoleListResponseSchema],
  ] as const) {
    expect(await client.refused(path, request, {})).toBe("0 ");
    expect(await client.call(path, request, response, {})).toMatchObject({ header: HEADER });
  }
});

test("a token is refused while auth is off, by those who ask for it", async () => {
  await using rig = await open();
  const refused = (path: string): Promise<Answer> => rig.client.raw(path, new Uint8Array(0), TOKEN);
  for (const path of ["Cluster/MemberAdd", "Maintenance/Alarm", "Maintenance/Snapshot"]) {
    expect(await refused(path)).toMatchObject({
      code: 16,
      message: "etcdserver: invalid auth token",
    });
  }
  expect(await refused("Cluster/MemberList")).toMatchObject({ code: 0 });
  expect(await refused("Maintenance/Status")).toMatchObject({ code: 0 });
});

test("bytes that are no message are refused as grpc-go refuses them", async () => {
  await using rig = await open();
  const answer = await rig.client.raw("Cluster/MemberAdd", Uint8Array.of(0x0a, 0x7f));
  expect(answer.code).toBe(13);
  expect(answer.message).toMatch(/^grpc: error unmarshalling request: /);
});
