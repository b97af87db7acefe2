/**
 * Ports of loopback for servers that are told their port, and told it again after a restart. They are below those that
 * the system gives to clients, so that no connection takes one between two lives of a server, and of five digits,
 * because tables are as wide as what is in them.
 */
import { createServer, type Server } from "node:net";

const FIRST = 20_000;
const BLOCKS = 199;
/** Of which the first is only listened on, for as long as this process lives, so that no other takes from the block. */
const BLOCK_PORTS = 64;
/** One process after another begins elsewhere. */
const STEP = 37;

let block = process.pid * STEP;
let left: number[] = [];
let taking: Promise<void> | undefined;

/**
 * So many different ports that nobody listens on, and that are given to nobody else while this process lives: one may
 * count on it that nobody listens.
 */
export async function loopbackPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = left.shift();
    if (port === undefined) {
      taking ??= takeBlock().finally(() => {
        taking = undefined;
      });
      await taking;
    } else if (await isFree(port)) ports.push(port);
  }
  return ports;
}

/** @throws Error if all are taken */
async function takeBlock(): Promise<void> {
  for (let tried = 0; tried < BLOCKS; tried++) {
    const first = FIRST + (block++ % BLOCKS) * BLOCK_PORTS;
    const guard = await listening(first);
    if (guard === undefined) continue;
    guard.unref();
    left = Array.from({ length: BLOCK_PORTS - 1 }, (_, i) => first + 1 + i);
    return;
  }
  throw new Error("other processes have all blocks of ports");
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening(port);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

function listening(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
