/** How much memory a server says it has: its metric `process_resident_memory_bytes`. */
import type { IncomingMessage, RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import { parseEndpoint } from "../../client/transport/endpoint.ts";
import type { TlsOptions } from "../../client/transport/transport-options.ts";

const METRIC = "process_resident_memory_bytes";
const TIMEOUT_MS = 30_000;

/** @throws Error that says why it cannot be told */
export async function residentMemory(endpoint: string, tls?: TlsOptions): Promise<number> {
  const page = await metricsPage(endpoint, tls).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`fetch error: ${why}`, { cause: error });
  });
  const line = page.split("\n").find((one) => one.startsWith(METRIC));
  if (line === undefined) throw new Error(`could not find: ${METRIC}`);
  const bytes = Number(line.slice(METRIC.length));
  if (!(bytes > 0)) throw new Error(`parse error: ${line}`);
  return bytes;
}

async function metricsPage(endpoint: string, tls?: TlsOptions): Promise<string> {
  const { secure, address, authority } = parseEndpoint(endpoint, tls !== undefined);
  const options: RequestOptions = {
    path: "/metrics",
    headers: { host: authority },
    timeout: TIMEOUT_MS,
    ...("path" in address ? { socketPath: address.path } : address),
  };
  const { get } = secure ? await import("node:https") : await import("node:http");
  const secured = secure
    ? {
        ca: tls?.ca as Buffer | undefined,
        cert: tls?.cert as Buffer | undefined,
        key: tls?.key as Buffer | undefined,
        rejectUnauthorized: tls?.insecureSkipVerify !== true,
      }
    : {};
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = get({ ...options, ...secured }, resolve);
    request.once("error", reject);
    request.once("timeout", () => request.destroy(new Error("timeout")));
  });
  return await text(response);
}
