/**
 * etcdserverpb.Maintenance. Where etcd gives no header, or none before some version, there is one.
 *
 * @see etcd server/etcdserver/api/v3rpc/maintenance.go
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { EtcdError } from "../../base/errors.ts";
import { ETCD_VERSION, STORAGE_VERSION } from "../../base/version.ts";
import type { Member } from "../../engine/member.ts";
import type { Method } from "../../grpc/service.ts";
import * as pb from "../../proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { judgeDowngrade } from "./downgrade.ts";
import { headerOf } from "./header.ts";
import { assertNoToken } from "./no-token.ts";
import type { ServiceContext } from "./service-context.ts";
import { sendSnapshot } from "./snapshot.ts";
import { unary } from "./unary.ts";

/** As Go prints them. */
const ALARM_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(pb.AlarmType).map(([name, alarm]) => [alarm, name]),
);

type Name =
  | "Alarm"
  | "Status"
  | "Defragment"
  | "Hash"
  | "HashKV"
  | "Snapshot"
  | "MoveLeader"
  | "Downgrade";

export function maintenanceMethods({
  member,
  timeout,
  snapshotMaxMs,
}: ServiceContext): Readonly<Record<Name, Method>> {
  return {
    Alarm: unary(
      pb.AlarmRequestSchema,
      pb.AlarmResponseSchema,
      async ({ action, memberID, alarm }, call) => {
        assertNoToken(call);
        timeout.watch(call);
        const alarms = await member.alarm(action, memberID, alarm);
        return {
          header: headerOf(member),
          alarms: alarms.map((each) => ({
            memberID: each.memberId,
            alarm: each.alarm as pb.AlarmType,
          })),
        };
      },
    ),
    Status: unary(pb.StatusRequestSchema, pb.StatusResponseSchema, () => {
      member.assertOpen();
      return statusOfMember(member);
    }),
    Defragment: unary(pb.DefragmentRequestSchema, pb.DefragmentResponseSchema, async (_, call) => {
      assertNoToken(call);
      await member.maintenance.defragment({ signal: call.signal });
      return { header: headerOf(member) };
    }),
    Hash: unary(pb.HashRequestSchema, pb.HashResponseSchema, async (_, call) => {
      assertNoToken(call);
      const hash = await member.maintenance.hash(call.signal);
      return { header: headerOf(member), hash };
    }),
    HashKV: unary(pb.HashKVRequestSchema, pb.HashKVResponseSchema, async ({ revision }, call) => {
      assertNoToken(call);
      const found = await member.maintenance.hashKv(Number(revision), call.signal);
      return {
        header: headerOf(member),
        hash: found.hash,
        compactRevision: BigInt(found.compactRevision),
        hashRevision: BigInt(found.revision),
      };
    }),
    Snapshot: {
      kind: "serverStream",
      handle: (call) => {
        assertNoToken(call);
        return sendSnapshot(member, call, snapshotMaxMs);
      },
    },
    MoveLeader: unary(
      pb.MoveLeaderRequestSchema,
      pb.MoveLeaderResponseSchema,
      ({ targetID }, call) => {
        assertNoToken(call);
        member.assertOpen();
        // It leads already, and nobody else can.
        if (targetID !== member.cluster.localId) throw new EtcdError("BAD_LEADER_TRANSFEREE");
        return { header: headerOf(member) };
      },
    ),
    Downgrade: unary(
      pb.DowngradeRequestSchema,
      pb.DowngradeResponseSchema,
      ({ action, version }, call) => {
        assertNoToken(call);
        member.assertOpen();
        const cluster = judgeDowngrade(action, version, member.cluster.version);
        return { header: headerOf(member), version: cluster };
      },
    ),
  };
}

function statusOfMember(member: Member): MessageInitShape<typeof pb.StatusResponseSchema> {
  const status = member.status();
  const errors = status.alarms.map(
    ({ memberId, alarm }) =>
      `${memberId === 0n ? "" : `memberID:${memberId} `}alarm:${ALARM_NAMES.get(alarm) ?? alarm} `,
  );
  if (status.failure !== undefined) errors.push(status.failure);
  return {
    header: headerOf(member),
    version: ETCD_VERSION,
    dbSize: BigInt(status.sizeBytes),
    leader: status.memberId,
    raftIndex: BigInt(status.raftIndex),
    raftTerm: BigInt(status.raftTerm),
    raftAppliedIndex: BigInt(status.raftAppliedIndex),
    errors,
    dbSizeInUse: BigInt(status.inUseBytes),
    isLearner: false,
    storageVersion: STORAGE_VERSION,
    dbSizeQuota: Number.isFinite(status.quotaBytes) ? BigInt(status.quotaBytes) : -1n,
    downgradeInfo: { enabled: false, targetVersion: "" },
  };
}
