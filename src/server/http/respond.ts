/** Answers in the form that Go's net/http gives them, which is what clients of etcd see. */
import type { IncomingMessage, ServerResponse } from "node:http";

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export const TEXT = "text/plain; charset=utf-8";
export const JSON_TYPE = "application/json";

/** What Go's `http.Error` makes: text, a newline, and the word not to guess what it is. */
export function errorAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const all = { ...headers, "X-Content-Type-Options": "nosniff" };
  return { status, type: TEXT, body: `${text}\n`, headers: all };
}

export const NOT_FOUND: Answer = errorAnswer(404, "404 page not found");

export const GET_ONLY: Answer = errorAnswer(405, "Method Not Allowed", { Allow: "GET" });

/** Sends it, and does nothing if the client is gone. */
export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const { status, type, body, headers = {} } = answer;
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (type !== "") response.setHeader("Content-Type", type);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  // In HTTP/1.1 a connection stays by itself, and Go does not say so.
  if (request.httpVersion === "1.1" && response.shouldKeepAlive) {
    response.removeHeader("Connection");
  }
  response.end(request.method === "HEAD" ? undefined : body);
}
