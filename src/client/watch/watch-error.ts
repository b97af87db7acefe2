/** Why a server ended a watch. @see etcd client/v3 watch.go WatchResponse.Err */
import { EtcdError } from "../../base/errors.ts";
import type { WatchResponse } from "../../proto/tables/watch.ts";
import { errorOfStatus, type RpcError } from "../status.ts";

const FAILED_PRECONDITION = 9;

/** A refusal of auth comes as the text of a whole status. */
const WRAPPED = /^rpc error: code = \w+ desc = (.*)$/s;

/** In the words that etcdctl prints; undefined if the response does not end its watch. */
export function cancelText(response: WatchResponse): string | undefined {
  const { compactRevision, canceled, cancelReason } = response;
  if (compactRevision !== 0n) return new EtcdError("COMPACTED").message;
  if (!canceled) return undefined;
  return cancelReason === "" ? new EtcdError("FUTURE").message : cancelReason;
}

/** As an error to branch on. */
export function watchError(response: WatchResponse): EtcdError | RpcError | undefined {
  const text = cancelText(response);
  return text === undefined
    ? undefined
    : errorOfStatus(FAILED_PRECONDITION, WRAPPED.exec(text)?.[1] ?? text);
}

/** Nothing happened, and the watch has come as far as the header says. */
export function isProgress(response: WatchResponse): boolean {
  const { events, canceled, created, compactRevision, header } = response;
  const isEmpty = events.length === 0 && !canceled && !created && compactRevision === 0n;
  return isEmpty && header !== undefined && header.revision !== 0n;
}
