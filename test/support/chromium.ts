/** Debian's Chromium without a window, told what to do by its own protocol through two pipes: no library, no port. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { cleanUpAtEnd, scratchFolder } from "./cleanup.ts";
import { peerPath } from "./peers.ts";

/** Nothing that it does for itself, and no name that it could find: what a page asks for is seen, and goes nowhere. */
const FLAGS: readonly string[] = [
  "--headless",
  "--remote-debugging-pipe",
  // Root has no sandbox, and CI often is root; it sees nothing but pages of ours.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-extensions",
  "--disable-sync",
  "--hide-scrollbars",
  "--host-resolver-rules=MAP * ~NOTFOUND",
];

/** What a page did since it was asked for. */
export interface Visit {
  /** All that it asked for, itself first. */
  readonly requests: readonly string[];
  /** Errors of scripts, of loading and of the page's own policy. */
  readonly errors: readonly string[];
}

export interface Look {
  readonly width: number;
  readonly scheme: "light" | "dark";
  readonly media?: "screen" | "print";
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const HEIGHT = 900;
const CLOSE_MS = 5_000;

export class Chromium implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #kill: () => void;
  readonly #calls = new Map<number, PromiseWithResolvers>();
  #events: ((method: string, params: unknown) => void)[] = [];
  #nextId = 1;
  #session: string | undefined;

  private constructor() {
    const folder = scratchFolder("chromium");
    this.#child = spawn(peerPath("chromium"), [...FLAGS, `--user-data-dir=${folder}`], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
      // It starts others, who are to end with it.
      detached: true,
    });
    this.#kill = cleanUpAtEnd(() => this.#killGroup());
    const failed = (why: string): void => {
      for (const { reject } of this.#calls.values()) reject(new Error(`chromium: ${why}`));
      this.#calls.clear();
    };
    this.#child.once("error", (error) => failed(error.message));
    this.#child.once("exit", (code, signal) => failed(`ended with ${code ?? signal}`));
    this.#input.on("error", (error) => failed(error.message));
    this.#listen();
  }

  static async start(): Promise<Chromium> {
    const chromium = new Chromium();
    const { targetId } = await chromium.#send<{ targetId: string }>("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await chromium.#send<{ sessionId: string }>("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    chromium.#session = sessionId;
    for (const domain of ["Page", "Network", "Runtime", "Log"]) {
      await chromium.#send(`${domain}.enable`);
    }
    return chromium;
  }

  async look({ width, scheme, media = "screen" }: Look): Promise<void> {
    await this.#send("Emulation.setDeviceMetricsOverride", {
      width,
      height: HEIGHT,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await this.#send("Emulation.setEmulatedMedia", {
      media,
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
  }

  /** Goes there and waits until everything of it is loaded, or has failed. */
  async visit(url: string): Promise<Visit> {
    const requests: string[] = [];
    const errors: string[] = [];
    const loaded = new Promise<void>((resolve) => {
      this.#events = [
        (method, params) => {
          if (method === "Page.loadEventFired") resolve();
          if (method === "Network.requestWillBeSent") {
            requests.push((params as { request: { url: string } }).request.url);
          }
          if (method === "Runtime.exceptionThrown") errors.push(JSON.stringify(params));
          if (method === "Runtime.consoleAPICalled") errors.push(JSON.stringify(params));
          if (method === "Log.entryAdded") {
            errors.push((params as { entry: { text: string } }).entry.text);
          }
        },
      ];
    });
    const { errorText } = await this.#send<{ errorText?: string }>("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`chromium: ${url}: ${errorText}`);
    await loaded;
    return { requests, errors };
  }

  /** @param expression  of JavaScript, in the page; its value is one of JSON, or a promise of it */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.#send<{
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string } };
    }>("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails !== undefined) {
      throw new Error(`chromium: ${exceptionDetails.exception?.description ?? "an exception"}`);
    }
    return result.value;
  }

  /** Of the whole page, however long. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.#send<{ data: string }>("Page.captureScreenshot", {
      captureBeyondViewport: true,
    });
    return Buffer.from(data, "base64");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      // It ends its own before it answers to nobody any more; one that hangs does not get long.
      this.#send("Browser.close").catch(() => undefined);
      const timer = setTimeout(() => this.#killGroup(), CLOSE_MS);
      await ended;
      clearTimeout(timer);
    }
    this.#kill();
  }

  get #input(): Writable {
    return this.#child.stdio[3] as Writable;
  }

  #killGroup(): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // They have all ended.
    }
  }

  #send<T>(method: string, params: object = {}): Promise<T> {
    const id = this.#nextId++;
    const call = withResolvers();
    this.#calls.set(id, call);
    const session = /^(?:Target|Browser)\./.test(method) ? undefined : this.#session;
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId: session })}\0`);
    return call.promise as Promise<T>;
  }

  /** Messages end with a zero byte. */
  #listen(): void {
    let rest = "";
    (this.#child.stdio[4] as Readable).setEncoding("utf8").on("data", (text: string) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
  }

  #take({ id, method, params, result, error }: Message): void {
    if (id === undefined) {
      for (const event of this.#events) event(method ?? "", params);
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(`chromium: ${error.message}`));
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Node 20 has no Promise.withResolvers. */
function withResolvers(): PromiseWithResolvers {
  let resolve: (value: unknown) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<unknown>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
