/** Prints what a watch tells, and runs the user's command for each event. */
import { quoted } from "../../base/quote.ts";
import type { Watch } from "../../client/watch/watch.ts";
import { cancelText, isProgress } from "../../client/watch/watch-error.ts";
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { BareFailure, explain } from "../../console/failure.ts";
import type { WatchResponse } from "../../proto/tables/watch.ts";
import { runCommand } from "../run-command.ts";
import type { Session } from "../session.ts";
import { typeName, watchViews } from "./answers.ts";

/**
 * Until the server ends the watch, which is said on stderr.
 * @param exec  the command and its arguments; empty: none
 * @throws BareFailure 1 if a command does not go well; Failure for a form that cannot be printed
 */
export async function show(session: Session, watch: Watch, exec: readonly string[]): Promise<void> {
  for await (const response of readable(watch)) {
    const why = cancelText(response);
    if (why !== undefined) session.io.stderr.write(`watch was canceled (${why})\n`);
    if (isProgress(response)) {
      session.io.stdout.write(`progress notify: ${response.header?.revision}\n`);
    }
    await session.print(watchViews(ofRefused(response), session));
    if (exec.length > 0) await runForEach(session, response, exec);
  }
}

/** A stream that the server refuses ends its watches, as etcd's client has it. */
async function* readable(watch: Watch): AsyncGenerator<WatchResponse, void> {
  try {
    yield* watch;
  } catch (error) {
    const cancelReason = explain(error);
    if (cancelReason === undefined) throw error;
    yield {
      header: undefined,
      watchId: 0n,
      created: true,
      canceled: true,
      compactRevision: 0n,
      cancelReason,
      fragment: false,
      events: [],
    };
  }
}

/** etcd's client says of a watch that never was that it was canceled, and nothing else. */
function ofRefused(response: WatchResponse): WatchResponse {
  return response.created ? { ...response, header: undefined } : response;
}

async function runForEach(
  { io }: Session,
  { header, events }: WatchResponse,
  exec: readonly string[],
): Promise<void> {
  for (const event of events) {
    const env = {
      ...io.env,
      ETCD_WATCH_REVISION: String(header?.revision ?? 0n),
      ETCD_WATCH_EVENT_TYPE: `"${typeName(event)}"`,
      ETCD_WATCH_KEY: quoted(event.kv?.key ?? new Uint8Array()),
      ETCD_WATCH_VALUE: quoted(event.kv?.value ?? new Uint8Array()),
    };
    const fault = await runCommand(io, exec, env);
    if (fault === undefined) continue;
    const words = exec.map((word) => quoted(Buffer.from(word))).join(" ");
    throw new BareFailure(EXIT_ERROR, `command [${words}] error (${fault.text})`);
  }
}
