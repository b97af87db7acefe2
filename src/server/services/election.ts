/**
 * v3electionpb.Election.
 *
 * @see etcd server/etcdserver/api/v3election/election.go
 */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { KeyValue } from "../../api/value.ts";
import type { Watch } from "../../api/watch.ts";
import { equalBytes } from "../../base/bytes.ts";
import { EtcdError } from "../../base/errors.ts";
import type { Member } from "../../engine/member.ts";
import { watchKeys } from "../../engine/watch.ts";
import type { Method, StreamCall } from "../../grpc/service.ts";
import { Code, GrpcError } from "../../grpc/status.ts";
import * as pb from "../../proto/gen/etcd/server/v3electionpb/v3election_pb.ts";
import { type Candidate, Candidates, prefixOf } from "./candidates.ts";
import { headerOf } from "./header.ts";
import { assertNoToken } from "./no-token.ts";
import type { ServiceContext } from "./service-context.ts";
import { decoded, unary } from "./unary.ts";
import { untranslated } from "./untranslated.ts";

const unknown = (text: string): GrpcError => new GrpcError(Code.unknown, text);
const notLeader = (): GrpcError => unknown("election: not leader");

type Name = "Campaign" | "Proclaim" | "Leader" | "Observe" | "Resign";
type LeaderInit = MessageInitShape<typeof pb.LeaderResponseSchema>;

export function electionMethods({
  member,
  timeout,
}: ServiceContext): Readonly<Record<Name, Method>> {
  const candidates = new Candidates(member);
  return {
    Campaign: unary(pb.CampaignRequestSchema, pb.CampaignResponseSchema, (request, call) => {
      assertNoToken(call);
      const { name, value } = request;
      return untranslated(async () => {
        const candidate = await candidates.enter(name, request.lease, value);
        const { key, lease, createRevision, before } = candidate;
        if (before !== undefined && !equalBytes(before.value, value)) {
          if ((await candidates.update(candidate, value)) === undefined) throw notLeader();
        }
        await candidates.untilOldest(name, candidate, call.signal);
        return {
          header: headerOf(member),
          leader: { name, key, rev: BigInt(createRevision), lease },
        };
      });
    }),
    Proclaim: unary(
      pb.ProclaimRequestSchema,
      pb.ProclaimResponseSchema,
      ({ leader, value }, call) => {
        assertNoToken(call);
        timeout.watch(call);
        return untranslated(async () => {
          const revision = await candidates.update(candidateOf(leader), value);
          if (revision === undefined) throw notLeader();
          return { header: headerOf(member, revision) };
        });
      },
    ),
    Leader: unary(pb.LeaderRequestSchema, pb.LeaderResponseSchema, ({ name }, call) => {
      assertNoToken(call);
      const leader = candidates.oldest(name);
      if (leader === undefined) throw unknown("election: no leader");
      return leaderInit(member, leader);
    }),
    Resign: unary(pb.ResignRequestSchema, pb.ResignResponseSchema, ({ leader }, call) => {
      assertNoToken(call);
      timeout.watch(call);
      return untranslated(async () => ({
        header: headerOf(member, await candidates.leave(candidateOf(leader))),
      }));
    }),
    Observe: {
      kind: "serverStream",
      handle: async (call, bytes, start, end) => {
        const request = decoded(call, pb.LeaderRequestSchema, bytes, start, end);
        if (request === undefined) return;
        assertNoToken(call);
        await untranslated(() => observe(member, candidates, request.name, call));
      },
    },
  };
}

/** The leader and each of its proposals, and then the next. Ends with the call. */
async function observe(
  member: Member,
  candidates: Candidates,
  name: Uint8Array,
  call: StreamCall,
): Promise<void> {
  const { signal } = call;
  const send = async (leader: KeyValue, revision?: number): Promise<void> => {
    const init = leaderInit(member, leader, revision);
    const message = toBinary(pb.LeaderResponseSchema, create(pb.LeaderResponseSchema, init));
    if (!call.send(message)) await call.drained();
  };
  while (!call.ended) {
    member.assertOpen();
    const startRevision = member.store.currentRevision + 1;
    const leader = candidates.oldest(name);
    try {
      if (leader === undefined) {
        // Whoever comes is found by the next turn.
        const comes = { startRevision, noDelete: true, signal };
        for await (const _ of watchKeys(member, { prefix: prefixOf(name) }, comes)) break;
        continue;
      }
      await send(leader);
      await follow(watchKeys(member, leader.key, { startRevision, signal }), send);
    } catch (error) {
      // What it has missed is old: the leader is asked for again.
      if (!(error instanceof EtcdError && error.code === "COMPACTED")) throw error;
    }
  }
}

/** Resolves when the key is deleted, or the watch over. */
async function follow(
  watch: Watch,
  send: (leader: KeyValue, revision: number) => Promise<void>,
): Promise<void> {
  for await (const { revision, events } of watch) {
    for (const { type, kv } of events) {
      if (type === "delete") return;
      await send(kv, Number(revision));
    }
  }
}

function candidateOf(leader: pb.LeaderKey | undefined): Candidate {
  if (leader === undefined) throw unknown('"leader" field must be provided');
  const { key, lease, rev } = leader;
  return { key, lease, createRevision: Number(rev) };
}

function leaderInit(member: Member, leader: KeyValue, revision?: number): LeaderInit {
  const { key, value, createRevision, modRevision, version, lease } = leader;
  return {
    header: headerOf(member, revision),
    kv: { key, value, createRevision, modRevision, version, lease },
  };
}
