/**
 * Ports of loopback for servers that are told their port, and told it again after a restart. They are below those that
 * the system gives to clients, so that no connection takes one between two lives of a server, and of five digits,
 * because tables are as wide as what is in them.
 */
import { createServer } from "node:net";

const FIRST = 20_000;
const COUNT = 12_000;
/** Processes that ask at the same time begin at different places. */
const STEP = 37;

let next = (process.pid * STEP) % COUNT;

/** So many different ports that nobody listens on. This process gives each only once. */
export async function loopbackPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
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
