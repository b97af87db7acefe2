/** `endpoint health`. */
import { systemClock } from "../../base/clock.ts";
import { EtcdError } from "../../base/errors.ts";
import { formatGoDuration } from "../../base/go-duration.ts";
import { goJson } from "../../base/go-json.ts";
import type { Arguments, Command } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { explain, Failure } from "../../console/failure.ts";
import type { Io } from "../../console/io.ts";
import { tableOf } from "../../console/table.ts";
import { KV_METHODS } from "../../proto/tables/kv.ts";
import { MAINTENANCE_METHODS } from "../../proto/tables/maintenance.ts";
import { AlarmAction, alarmName } from "../alarm/alarms.ts";
import { field, quotedField } from "../print/fields.ts";
import { goJsonObject } from "../print/go-json.ts";
import { connected, type Session } from "../session.ts";
import { sharedLimit } from "../shared-limit.ts";
import { targets } from "./targets.ts";

export const command: Command = {
  usage: "endpoint health",
  description:
    "Checks whether endpoints are healthy: whether they get a key as the whole cluster has it, and no alarm is on.",
  examples: ["etcdctl endpoint health --cluster"],
  flags: [],
  run,
};

interface Health {
  readonly endpoint: string;
  readonly took: string;
  /** Empty: it is healthy. */
  readonly error: string;
}

async function run(args: Arguments, io: Io): Promise<number> {
  return await connected(args, io, async (session) => {
    // In the order in which they answer, as etcd's has them.
    const all: Health[] = [];
    await Promise.all(
      (await targets(args, session)).map(async (endpoint) => {
        all.push(await healthOf(session, endpoint));
      }),
    );
    await session.print({
      simple: () => {
        const unhealthy = all.filter(({ error }) => error !== "");
        io.stderr.write(unhealthy.map(unhealthyLine).join(""));
        return all.filter(({ error }) => error === "").map(healthyLine);
      },
      table: () =>
        tableOf(
          ["endpoint", "health", "took", "error"],
          all.map(({ endpoint, took, error }) => [endpoint, String(error === ""), took, error]),
        ),
      json: () => `[${all.map(healthJson).join(",")}]\n`,
      fields: () => all.map(healthFields),
    });
    if (all.some(({ error }) => error !== "")) throw new Failure(EXIT_ERROR, "unhealthy cluster");
    return EXIT_SUCCESS;
  });
}

async function healthOf({ rpc, short }: Session, endpoint: string): Promise<Health> {
  const left = sharedLimit({ ...short(), endpoint });
  const startMs = systemClock.nowMs();
  const took = (): string => formatGoDuration(systemClock.nowMs() - startMs);
  try {
    // Any key will do: to answer, it must have agreed with the others.
    await rpc.call(KV_METHODS.range, { key: Buffer.from("health") }, left());
  } catch (error) {
    // It has agreed with them that this user may not.
    if (!(error instanceof EtcdError && error.code === "PERMISSION_DENIED")) {
      return { endpoint, took: took(), error: explained(error) };
    }
  }
  const health = { endpoint, took: took() };
  try {
    const request = { action: AlarmAction.get };
    const { alarms } = await rpc.call(MAINTENANCE_METHODS.alarm, request, left());
    const names = alarms.map(({ alarm }) => `${alarmName(alarm)} `).join("");
    return { ...health, error: names === "" ? "" : `Active Alarm(s): ${names}` };
  } catch (error) {
    explained(error);
    return { ...health, error: "Unable to fetch the alarm list" };
  }
}

/** @throws what no server and no network can have done */
function explained(error: unknown): string {
  const text = explain(error);
  if (text === undefined) throw error;
  return text;
}

function healthyLine({ endpoint, took }: Health): string {
  return `${endpoint} is healthy: successfully committed proposal: took = ${took}\n`;
}

function unhealthyLine({ endpoint, error }: Health): string {
  return `${endpoint} is unhealthy: failed to commit proposal: ${error}\n`;
}

function healthJson({ endpoint, took, error }: Health): string {
  return goJsonObject({
    endpoint: goJson(endpoint),
    health: String(error === ""),
    took: goJson(took),
    ...(error !== "" && { error: goJson(error) }),
  });
}

function healthFields({ endpoint, took, error }: Health): string {
  const lines = [
    quotedField("Endpoint", endpoint),
    field("Health", error === ""),
    field("Took", took),
    field("Error", error),
  ];
  return `${lines.join("")}\n`;
}
