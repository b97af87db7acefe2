/**
 * The token that stands for a user and his password: fetched when it is first needed, by one call for all who wait,
 * and again when the server does not take it any more.
 *
 * @see etcd client/v3/client.go getToken, retry_interceptor.go shouldRefreshToken
 */
import { EtcdError } from "../base/errors.ts";
import { Gate } from "./transport/gate.ts";
import type { Patience } from "./transport/patience.ts";
import type { CallSettings } from "./transport/transport.ts";
import type { Credentials } from "./transport/transport-options.ts";

/** etcd forgets a simple token after 300 s, and does not say so on a stream: a stream begins with a young one. */
const YOUNG_MS = 60_000;

export class AuthToken {
  readonly #credentials: Credentials;
  readonly #unary: (
    path: string,
    message: Uint8Array,
    settings: CallSettings,
  ) => Promise<Uint8Array>;
  readonly #gate = new Gate<string | undefined>();
  #fetching: AbortController | undefined;
  #known: { readonly token: string | undefined; readonly sinceMs: number } | undefined;

  /** @param unary  without a token */
  constructor(
    credentials: Credentials,
    unary: (path: string, message: Uint8Array, settings: CallSettings) => Promise<Uint8Array>,
  ) {
    this.#credentials = credentials;
    this.#unary = unary;
  }

  /** @returns undefined if the server has no authentication. @throws (rejects) what `Authenticate` does */
  current(patience: Patience): string | undefined | Promise<string | undefined> {
    return this.#known === undefined ? this.#fetched(patience) : this.#known.token;
  }

  /** One that will be good for some time. */
  young(patience: Patience): string | undefined | Promise<string | undefined> {
    const { sinceMs = Number.NEGATIVE_INFINITY } = this.#known ?? {};
    if (performance.now() - sinceMs > YOUNG_MS) this.#known = undefined;
    return this.current(patience);
  }

  /** The server did not take this one. */
  refused(token: string | undefined): void {
    if (this.#known?.token === token) this.#known = undefined;
  }

  async #fetched(patience: Patience): Promise<string | undefined> {
    const waits = this.#gate.wait(patience);
    if (this.#fetching === undefined) void this.#fetch();
    try {
      return await waits;
    } finally {
      if (this.#gate.waiting === 0) this.#fetching?.abort();
    }
  }

  async #fetch(): Promise<void> {
    const fetching = new AbortController();
    this.#fetching = fetching;
    try {
      const token = await this.#authenticate(fetching.signal);
      this.#known = { token, sinceMs: performance.now() };
      this.#fetching = undefined;
      this.#gate.open(token);
    } catch (error) {
      this.#fetching = undefined;
      if (!fetching.signal.aborted) this.#gate.shut(error);
      // Somebody may have come when all others had just gone.
      else if (this.#gate.waiting > 0) void this.#fetch();
    }
  }

  async #authenticate(signal: AbortSignal): Promise<string | undefined> {
    const { AUTH_METHODS } = await import("../proto/tables/auth.ts");
    const { decode, encode } = await import("../proto/tables/message-table.ts");
    const { path, input, output } = AUTH_METHODS.authenticate;
    const { user: name, password } = this.#credentials;
    try {
      const answer = await this.#unary(path, encode(input, { name, password }), { signal });
      return decode(output, answer).token;
    } catch (error) {
      if (error instanceof EtcdError && error.code === "AUTH_NOT_ENABLED") return undefined;
      throw error;
    }
  }
}

/** Whether a call may go better with a new token. */
export function isAboutToken(error: unknown): boolean {
  if (!(error instanceof EtcdError)) return false;
  const { code } = error;
  return code === "INVALID_AUTH_TOKEN" || code === "AUTH_OLD_REVISION" || code === "USER_EMPTY";
}
