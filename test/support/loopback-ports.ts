/**
 * Ports of loopback for servers that are told their port, and told it again after a restart. They are below those that
 * the system gives to clients, so that no connection takes one between two lives of a server, and of five digits,
 * because tables are as wide as what is in them.
 */
import { createServer } from "node:net";

const FIRST = 20_000;
const LANES = 4;
const LANE_PORTS = 3000;
/** Test files that run at the same time have ports of their own: one may count on it that nobody listens. */
const LANE = Number(process.env.VITEST_POOL_ID ?? 0) % LANES;
/** One after another begins elsewhere. */
const STEP = 37;

let next = (process.pid * STEP) % LANE_PORTS;

/** So many different ports that nobody listens on. This process gives each only once. */
export async function loopbackPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + LANE * LANE_PORTS + next;
    next = (next + 1) % LANE_PORTS;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
