/**
 * Servers for questions that put little: in a smoke run, where starting them would be most of the time, they stay up
 * from one question to the next, and end by themselves when nobody has asked for a while.
 */
import { join } from "node:path";
import { cleanUpAtEnd, scratchFolder } from "../../../test/support/cleanup.ts";
import { type ServerKind, type ServerProcess, withServer } from "../../wire/server-process.ts";
import type { AskContext } from "../question.ts";

const IDLE_MS = 1000;

interface Idle {
  readonly server: Promise<ServerProcess>;
  timer: NodeJS.Timeout | undefined;
}

const idle = new Map<string, Idle>();

async function withSharedServer<T>(
  kind: ServerKind,
  use: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const { name } = kind;
  let shared = idle.get(name);
  if (shared === undefined) {
    const dataDir = join(scratchFolder(`bench-${name}`), "data");
    shared = { server: kind.start(dataDir), timer: undefined };
    idle.set(name, shared);
    cleanUpAtEnd(() => idle.delete(name));
  }
  const mine = shared;
  clearTimeout(mine.timer);
  try {
    return await use(await mine.server);
  } finally {
    mine.timer = setTimeout(() => {
      if (idle.get(name) === mine) idle.delete(name);
      void mine.server.then((server) => server.stop());
    }, IDLE_MS);
  }
}

/** In a full run, a new one on a new data dir each time. */
export function withNewServer<T>(
  kind: ServerKind,
  { folder, smoke }: AskContext,
  use: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  return smoke ? withSharedServer(kind, use) : withServer(kind, folder, use);
}
