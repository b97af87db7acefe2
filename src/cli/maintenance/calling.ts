/** Calls of strata's own: of one server, which may be none of strata's. */
import { progressOfWire } from "../../client/maintenance/strata.ts";
import { GrpcStatus, RpcError } from "../../client/status.ts";
import { EXIT_BAD_ARGS, EXIT_ERROR, type StopSignal } from "../../console/exit-codes.ts";
import { Failure, Interrupted } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import type { ProgressDisplay } from "../../console/progress.ts";
import type { Method, Partially } from "../../proto/tables/message-table.ts";
import type { Progress as WireProgress } from "../../proto/tables/strata.ts";
import type { Session } from "../session.ts";

/** What is done to a server is done to one. @throws Failure 128 */
export function oneEndpoint({ endpoints }: Session): string {
  const [endpoint = "", ...more] = endpoints;
  if (more.length === 0) return endpoint;
  const what = `one server must be asked, not several [${endpoints.join(" ")}]`;
  throw new Failure(EXIT_BAD_ARGS, what);
}

/** A call with one answer. @throws Failure if the server is none of strata's; as Rpc.call */
export async function ask<I, O>(
  { rpc, short }: Session,
  method: Method<I, O>,
  request: Partially<I>,
  signal?: AbortSignal,
): Promise<O> {
  try {
    return await rpc.call(method, request, { ...short(), signal });
  } catch (error) {
    throw stated(error, method);
  }
}

interface Step<R> {
  readonly progress: WireProgress | undefined;
  readonly report: R | undefined;
}

/**
 * A call that tells its progress and at last its report. It takes as long as it takes, unless `--command-timeout` is
 * given; a signal cancels it, and with it what the server does.
 * @throws Interrupted; Failure if the server is none of strata's
 */
export async function follow<I, R, O extends Step<R>>(
  { io, rpc, flags }: Session,
  method: Method<I, O & Step<R>>,
  request: Partially<I>,
  display: ProgressDisplay,
): Promise<R> {
  const timeoutMs = flags.given("command-timeout") ? flags.number("command-timeout") : undefined;
  return await interruptibly(io, async (signal) => {
    try {
      const stream = rpc.open(method, { signal, timeoutMs });
      // Where the call has failed already, the iteration says why.
      await stream.send(request).catch(() => undefined);
      stream.end();
      let found: R | undefined;
      for await (const { progress, report } of stream) {
        if (progress !== undefined) display.show?.(progressOfWire(progress));
        found = report ?? found;
      }
      if (found === undefined)
        throw new Failure(EXIT_ERROR, "the server did not say what came of it");
      return found;
    } catch (error) {
      throw stated(error, method);
    } finally {
      display.end();
    }
  });
}

async function interruptibly<T>(io: Io, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return await io.interruptible(async (signal) => {
    try {
      return await work(signal);
    } catch (error) {
      if (signal.aborted) throw new Interrupted(signal.reason as StopSignal);
      throw error;
    }
  });
}

/** What the server says of the request, in its own words, without gRPC's around them. */
const ANSWERS: ReadonlySet<number> = new Set([
  GrpcStatus.canceled,
  GrpcStatus.invalidArgument,
  GrpcStatus.notFound,
  GrpcStatus.resourceExhausted,
  GrpcStatus.failedPrecondition,
]);

function stated(error: unknown, { path }: Pick<Method, "path">): unknown {
  if (!(error instanceof RpcError)) return error;
  const { grpcStatus, details } = error;
  if (grpcStatus === GrpcStatus.unimplemented) {
    const what = `this server has no ${path.slice(1)}: is it strata?`;
    return new Failure(EXIT_ERROR, what, { cause: error });
  }
  return ANSWERS.has(grpcStatus) ? new Failure(EXIT_ERROR, details, { cause: error }) : error;
}
