/** One renewal of a lease. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { EtcdError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { LEASE_METHODS, type LeaseKeepAliveResponse } from "../../proto/tables/lease.ts";
import { Backoff } from "../backoff.ts";
import { mayComeBack } from "../comes-back.ts";
import type { Rpc } from "../rpc.ts";
import { GrpcStatus, RpcError } from "../status.ts";
import type { CallSettings } from "../transport/transport.ts";

/**
 * Asked again as long as the connection breaks. @param settings  its time limit is that of one attempt
 * @throws EtcdError LEASE_NOT_FOUND, and as every call
 */
export async function keepAliveOnce(
  rpc: Rpc,
  id: bigint,
  settings: CallSettings = {},
  clock: Clock = systemClock,
): Promise<LeaseKeepAliveResponse> {
  const backoff = new Backoff(clock, systemRandom);
  const signal = settings.signal ?? new AbortController().signal;
  for (;;) {
    try {
      const response = await ask(rpc, id, settings);
      if (response.ttl <= 0n) throw new EtcdError("LEASE_NOT_FOUND");
      return response;
    } catch (error) {
      if (!mayComeBack(error)) throw error;
    }
    await backoff.wait(signal);
    signal.throwIfAborted();
  }
}

async function ask(rpc: Rpc, id: bigint, settings: CallSettings): Promise<LeaseKeepAliveResponse> {
  const stream = rpc.open(LEASE_METHODS.keepAlive, settings);
  stream.send({ id }).catch(() => undefined); // The iteration tells.
  for await (const response of stream) return response;
  throw new RpcError(GrpcStatus.unavailable, "the server has ended the stream");
}
