/** The endpoints that a command is about, and the same question to each of them. */
import type { Rpc } from "../../client/rpc.ts";
import type { CallSettings } from "../../client/transport/transport.ts";
import type { Arguments } from "../../console/command.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { explain, Failure } from "../../console/failure.ts";
import { CLUSTER_METHODS } from "../../proto/tables/cluster.ts";
import { CLUSTER } from "../cluster-flag.ts";
import type { Session } from "../session.ts";

/** As they were typed; with `--cluster`, all client URLs of all members. @throws Failure */
export async function targets(
  { flags }: Arguments,
  { endpoints, rpc, short }: Session,
): Promise<readonly string[]> {
  if (!flags.bool(CLUSTER.name)) return endpoints;
  try {
    const { members } = await rpc.call(CLUSTER_METHODS.list, { linearizable: true }, short());
    return members.flatMap(({ clientUrls }) => clientUrls);
  } catch (error) {
    const why = explain(error);
    if (why === undefined) throw error;
    const what = "failed to fetch endpoints from etcd cluster member list";
    throw new Failure(EXIT_ERROR, `${what}: ${why}`);
  }
}

export interface Answered<T> {
  readonly endpoint: string;
  readonly response: T;
}

export interface Asked<T> {
  /** In the order of the endpoints. */
  readonly answers: readonly Answered<T>[];
  /** The last one's; undefined: all have answered. */
  readonly failure: string | undefined;
}

/** Asks all at once. Who does not answer is told on stderr, as in `Failed to get the hash of endpoint …`. */
export async function askEach<T>(
  { io, rpc, short }: Session,
  endpoints: readonly string[],
  what: string,
  ask: (rpc: Rpc, settings: CallSettings) => Promise<T>,
): Promise<Asked<T>> {
  const settled = await Promise.allSettled(
    endpoints.map(async (endpoint) => await ask(rpc, { ...short(), endpoint })),
  );
  const answers: Answered<T>[] = [];
  let failure: string | undefined;
  for (const [i, endpoint] of endpoints.entries()) {
    const one = settled[i];
    if (one?.status === "fulfilled") {
      answers.push({ endpoint, response: one.value });
    } else {
      failure = explain(one?.reason);
      if (failure === undefined) throw one?.reason;
      io.stderr.write(`Failed to get the ${what} of endpoint ${endpoint} (${failure})\n`);
    }
  }
  return { answers, failure };
}
