/**
 * etcdserverpb.Cluster. Headers have no revision here, as etcd's.
 *
 * @see etcd server/etcdserver/api/v3rpc/member.go
 */
import { EtcdError } from "../../base/errors.ts";
import type { Method } from "../../grpc/service.ts";
import { GrpcError } from "../../grpc/status.ts";
import type { MemberRecord } from "../../membership/member-record.ts";
import * as pb from "../../proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import { type HeaderInit, headerOf } from "./header.ts";
import { assertNoToken } from "./no-token.ts";
import type { ServiceContext } from "./service-context.ts";
import { unary } from "./unary.ts";

interface MemberInit {
  readonly ID: bigint;
  readonly name: string;
  readonly peerURLs: string[];
  readonly clientURLs: string[];
  readonly isLearner: boolean;
}

const shown = ({ id, name, peerUrls, clientUrls, isLearner }: MemberRecord): MemberInit => ({
  ID: id,
  name,
  peerURLs: [...peerUrls],
  clientURLs: [...clientUrls],
  isLearner,
});

/** Ours alone, for etcd takes a second voter: so with the status of its text, which etcd's own refusals arrive without. */
function refuseVoter(error: unknown): never {
  if (error instanceof EtcdError && error.code === "MEMBER_NOT_ENOUGH_STARTED") {
    throw new GrpcError(error.grpcStatus, error.message, { cause: error });
  }
  throw error;
}

type Name = "MemberAdd" | "MemberRemove" | "MemberUpdate" | "MemberList" | "MemberPromote";

export function clusterMethods({
  member,
  timeout,
}: ServiceContext): Readonly<Record<Name, Method>> {
  const { members } = member;
  const answer = (): { readonly header: HeaderInit; readonly members: MemberInit[] } => ({
    header: headerOf(member, 0),
    members: members.list().map(shown),
  });
  return {
    MemberList: unary(pb.MemberListRequestSchema, pb.MemberListResponseSchema, () => {
      member.assertOpen();
      return answer();
    }),
    MemberAdd: unary(
      pb.MemberAddRequestSchema,
      pb.MemberAddResponseSchema,
      async ({ peerURLs, isLearner }, call) => {
        assertNoToken(call);
        timeout.watch(call);
        const added = await members.add(peerURLs, isLearner).catch(refuseVoter);
        return { ...answer(), member: shown(added) };
      },
    ),
    MemberRemove: unary(
      pb.MemberRemoveRequestSchema,
      pb.MemberRemoveResponseSchema,
      async ({ ID }, call) => {
        assertNoToken(call);
        timeout.watch(call);
        await members.remove(ID);
        return answer();
      },
    ),
    MemberUpdate: unary(
      pb.MemberUpdateRequestSchema,
      pb.MemberUpdateResponseSchema,
      async ({ ID, peerURLs }, call) => {
        assertNoToken(call);
        timeout.watch(call);
        await members.update(ID, peerURLs);
        return answer();
      },
    ),
    MemberPromote: unary(
      pb.MemberPromoteRequestSchema,
      pb.MemberPromoteResponseSchema,
      ({ ID }, call) => {
        assertNoToken(call);
        return members.promote(ID);
      },
    ),
  };
}
