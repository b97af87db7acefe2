/**
 * v3lockpb.Lock.
 *
 * @see etcd server/etcdserver/api/v3lock/lock.go
 */
import type { Method } from "../../grpc/service.ts";
import * as pb from "../../proto/gen/etcd/server/v3lockpb/v3lock_pb.ts";
import { Candidates, deleteKey } from "./candidates.ts";
import { headerOf } from "./header.ts";
import { assertNoToken } from "./no-token.ts";
import type { ServiceContext } from "./service-context.ts";
import { unary } from "./unary.ts";
import { untranslated } from "./untranslated.ts";

const NOTHING = new Uint8Array(0);

export function lockMethods({
  member,
  timeout,
}: ServiceContext): Readonly<Record<"Lock" | "Unlock", Method>> {
  const candidates = new Candidates(member);
  return {
    Lock: unary(pb.LockRequestSchema, pb.LockResponseSchema, ({ name, lease }, call) => {
      assertNoToken(call);
      return untranslated(async () => {
        const candidate = await candidates.enter(name, lease, NOTHING);
        await candidates.untilOldest(name, candidate, call.signal);
        return { header: headerOf(member), key: candidate.key };
      });
    }),
    Unlock: unary(pb.UnlockRequestSchema, pb.UnlockResponseSchema, ({ key }, call) => {
      assertNoToken(call);
      timeout.watch(call);
      return untranslated(async () => ({ header: headerOf(member, await deleteKey(member, key)) }));
    }),
  };
}
