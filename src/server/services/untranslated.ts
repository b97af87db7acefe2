import { EtcdError } from "../../base/errors.ts";
import { Code, GrpcError } from "../../grpc/status.ts";

/**
 * For services that etcd builds on a client of itself: what that client hears is passed on as Unknown, with its text.
 * @throws (rejects) what `work` does, an EtcdError as a GrpcError
 */
export async function untranslated<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
    throw new GrpcError(Code.unknown, error.message, { cause: error });
  }
}
