import { EtcdError } from "../../base/errors.ts";
import type { Call } from "../../grpc/service.ts";
import { hasToken } from "./accepted.ts";

/**
 * For methods that ask who is calling: see `hasToken`.
 * @throws EtcdError INVALID_AUTH_TOKEN
 */
export function assertNoToken(call: Call): void {
  if (hasToken(call)) throw new EtcdError("INVALID_AUTH_TOKEN");
}
