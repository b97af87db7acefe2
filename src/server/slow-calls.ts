/** Unary calls that took longer than --warning-unary-request-duration, one line each. */
import { formatGoDuration } from "../base/go-duration.ts";
import type { EndedCall } from "../grpc/server-call.ts";
import type { Logger } from "./logging/logger.ts";

/** @see etcd server/etcdserver/api/v3rpc/interceptor.go logUnaryRequestStats */
export function slowCalls(warningMs: number, log: Logger): (call: EndedCall) => void {
  return (call) => {
    const tookMs = performance.now() - call.startedMs;
    if (tookMs < warningMs || call.counts.type !== "unary") return;
    log.warn("request stats", {
      "start time": new Date(Date.now() - tookMs).toISOString(),
      "time spent": formatGoDuration(Math.round(tookMs * 1e3) / 1e3),
      remote: call.peer.remoteAddress,
      "response type": call.path,
      "request size": call.requestBytes,
      "response size": call.responseBytes,
    });
  };
}
