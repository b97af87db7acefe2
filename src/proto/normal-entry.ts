/**
 * The data of a normal entry: nothing (a new leader's no-op), a request, or a request of the v2 API, bare or in field 2
 * of one. A bare one is told by not being a request: its method, in field 2, is no message.
 */
import { decodeRequestOrV2 } from "./internal-request.ts";
import type { LoggedRequest } from "./messages.ts";
import { decodeV2Request, type V2Put, type V2Request } from "./v2-request.ts";

export type NormalEntry =
  /** Nothing, or nothing of ours. */
  | { readonly kind: "noop" }
  | { readonly kind: "v2"; readonly put: V2Put }
  /** Its `request` may be one that this version does not know. */
  | { readonly kind: "request"; readonly logged: LoggedRequest }
  | { readonly kind: "unknown"; readonly why: string };

/** @param data  of an entry of type normal. Keys and values in the result are views of it. */
export function decodeNormalEntry(data: Uint8Array | undefined): NormalEntry {
  if (data === undefined || data.length === 0) return { kind: "noop" };
  const decoded = decodeRequestOrV2(data);
  if (typeof decoded === "object") {
    return "method" in decoded ? ofV2(decoded) : { kind: "request", logged: decoded };
  }
  const bare = decodeV2Request(data);
  return typeof bare === "object" ? ofV2(bare) : { kind: "unknown", why: decoded };
}

/** What changes nothing that etcd 3 keeps: a read, which etcd 3.4 logs for every GET of /health, and the v2 API's clock. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(["QGET", "SYNC"]);

function ofV2({ id, method, path, value }: V2Request): NormalEntry {
  if (WITHOUT_EFFECT.has(method)) return { kind: "noop" };
  if (method !== "PUT") return { kind: "unknown", why: `a request of the v2 API: ${method}` };
  return { kind: "v2", put: { id, path, value } };
}
