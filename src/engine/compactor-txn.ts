/**
 * The small transaction without which a Kubernetes API server never compacts: before it does, it writes down the
 * revision, and does nothing if that is refused. So a full database could not be emptied.
 *
 *     if version(compact_rev_key) = n then put compact_rev_key, else get compact_rev_key
 *
 * @see kubernetes staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go
 */
import { equalBytes, utf8 } from "../base/bytes.ts";
import { CompareResult, CompareTarget, type TxnRequest } from "../proto/messages.ts";

const KEY: Uint8Array = utf8("compact_rev_key");

/** A revision, in decimal. */
const VALUE_BYTES_MAX = 32;

export function isCompactorsTxn({ compare, success, failure }: TxnRequest): boolean {
  if (compare.length !== 1 || success.length !== 1 || failure.length !== 1) return false;
  const [[condition], [put], [get]] = [compare, success, failure];
  return (
    condition?.target === CompareTarget.version &&
    condition.result === CompareResult.equal &&
    isKey(condition) &&
    put?.kind === "put" &&
    equalBytes(put.key, KEY) &&
    put.lease === 0n &&
    put.value.length <= VALUE_BYTES_MAX &&
    get?.kind === "range" &&
    isKey(get)
  );
}

function isKey({ key, rangeEnd }: { key: Uint8Array; rangeEnd: Uint8Array }): boolean {
  return rangeEnd.length === 0 && equalBytes(key, KEY);
}
