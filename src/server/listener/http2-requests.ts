/**
 * Requests that came by HTTP/2 and are not gRPC's, for a handler that knows HTTP/1.1: what `curl https://…/health`
 * sends, since it agrees on HTTP/2 where it can. Each is sent to Node's own HTTP server through a pipe in memory, by
 * Node's own client: two parsers more than need be, for requests that come every few seconds, and not one of ours.
 */
import { type ClientRequest, type IncomingMessage, request, type Server } from "node:http";
import { Duplex } from "node:stream";
import { ErrorCode } from "../../http2/error-code.ts";
import type {
  RequestHead,
  RequestListener,
  ServerStream,
  StreamListener,
} from "../../http2/exchange.ts";

/** Of one connection only: RFC 9113, 8.2.2. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** @param server  gets its connections by its `connection` event, and need not listen */
export function requestsTo(server: Server): RequestListener {
  return (stream, head) => {
    try {
      return new PassedRequest(stream, head, server);
    } catch {
      // Something in its head cannot be said in HTTP/1.1.
      stream.sendHead([[":status", "400"]], true);
      return deaf;
    }
  };
}

const deaf: StreamListener = { data() {}, ended() {}, drained() {}, cancelled() {} };

class PassedRequest implements StreamListener {
  readonly #stream: ServerStream;
  readonly #request: ClientRequest;
  #response: IncomingMessage | undefined;

  constructor(stream: ServerStream, head: RequestHead, server: Server) {
    this.#stream = stream;
    const [near, far] = pipe(stream.peer.remoteAddress);
    this.#request = request({
      createConnection: () => near,
      method: head.method,
      path: head.path,
      headers: headersOf(head),
      setHost: false,
      maxHeaderSize: 1 << 20,
    });
    this.#request.on("response", (response) => this.#respond(response, head.method === "HEAD"));
    this.#request.on("error", () => stream.reset(ErrorCode.internalError));
    this.#request.on("drain", () => stream.resume());
    server.emit("connection", far);
  }

  data(bytes: Uint8Array, start: number, end: number): void {
    if (!this.#request.write(bytes.subarray(start, end))) this.#stream.pause();
  }

  ended(): void {
    this.#request.end();
  }

  drained(): void {
    this.#response?.resume();
  }

  cancelled(): void {
    this.#request.destroy();
  }

  #respond(response: IncomingMessage, withoutBody: boolean): void {
    this.#response = response;
    const stream = this.#stream;
    const head: [string, string][] = [[":status", String(response.statusCode ?? 500)]];
    const { rawHeaders } = response;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = (rawHeaders[at] as string).toLowerCase();
      if (!CONNECTION_HEADERS.has(name)) head.push([name, rawHeaders[at + 1] as string]);
    }
    // Without a body, the head is all: it waits until that is known.
    let sent = false;
    response.on("data", (chunk: Buffer) => {
      if (!sent) stream.sendHead(head);
      sent = true;
      if (!stream.sendData([chunk])) response.pause();
    });
    response.on("end", () => {
      if (sent && !withoutBody) stream.sendTrailers([]);
      else stream.sendHead(head, true);
    });
  }
}

/** One after the other, name and value. */
function headersOf({ authority, fields }: RequestHead): readonly string[] {
  const headers: string[] = [];
  const cookies: string[] = [];
  if (authority !== "") headers.push("host", authority);
  for (const [name, value] of fields) {
    if (name === "host" || CONNECTION_HEADERS.has(name)) continue;
    // Cookies may come in crumbs, and HTTP/1.1 wants them in one: RFC 9113, 8.2.3.
    if (name === "cookie") cookies.push(value);
    else headers.push(name, value);
  }
  if (cookies.length > 0) headers.push("cookie", cookies.join("; "));
  return headers;
}

/** One end of a pipe in memory. */
class PipeEnd extends Duplex {
  other: PipeEnd | undefined;
  readonly remoteAddress: string;
  #taken: (() => void) | undefined;

  constructor(remoteAddress: string) {
    super({ allowHalfOpen: true });
    this.remoteAddress = remoteAddress;
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.other === undefined || this.other.destroyed) done();
    else this.other.#take(chunk, done);
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    if (this.other?.destroyed === false) this.other.destroy();
    done(error);
  }

  #take(chunk: Buffer, done: () => void): void {
    this.#taken = done;
    this.push(chunk);
  }
}

function pipe(remoteAddress: string): readonly [PipeEnd, PipeEnd] {
  const near = new PipeEnd(remoteAddress);
  const far = new PipeEnd(remoteAddress);
  near.other = far;
  far.other = near;
  return [near, far];
}
