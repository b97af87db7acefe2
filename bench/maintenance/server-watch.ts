/** What a server costs during a stretch of time, and how late its event loop was: seen from outside. */
import { writeFileSync } from "node:fs";
import { residentBytes } from "../store/resident.ts";
import { cpuSeconds, type ServerProcess } from "../wire/server-process.ts";

export interface ServerFigure {
  /** Processors' seconds a second: 1 is one of them. */
  readonly cpu: number;
  /** The most it had at once, pages of mapped files included. */
  readonly rssMaxBytes: number;
  /** What of its memory is not a file's, at the most, looked at now and then. */
  readonly anonMaxBytes: number;
  /** Milliseconds; undefined where the server has no such metric. */
  readonly loopP99Ms: number | undefined;
  readonly loopMaxMs: number | undefined;
}

const LOOK_MS = 200;
/** What the kernel takes for: forget the most that this process ever had. */
const FORGET_PEAK = "5";

export class ServerWatch implements Disposable {
  readonly #server: ServerProcess;
  readonly #timer: NodeJS.Timeout;
  #startMs = 0;
  #cpuSeconds = 0;
  #anonMaxBytes = 0;

  private constructor(server: ServerProcess) {
    this.#server = server;
    this.#timer = setInterval(() => {
      this.#anonMaxBytes = Math.max(this.#anonMaxBytes, residentBytes(server.pid, "RssAnon"));
    }, LOOK_MS);
  }

  static async start(server: ServerProcess): Promise<ServerWatch> {
    const watch = new ServerWatch(server);
    await watch.cut();
    return watch;
  }

  /** What was seen since the last cut. */
  async cut(): Promise<ServerFigure> {
    const { pid } = this.#server;
    const loop = await loopDelay(this.#server);
    const nowMs = performance.now();
    const cpu = cpuSeconds(pid);
    const figure: ServerFigure = {
      cpu: (cpu - this.#cpuSeconds) / ((nowMs - this.#startMs) / 1000),
      rssMaxBytes: residentBytes(pid, "VmHWM"),
      anonMaxBytes: this.#anonMaxBytes,
      loopP99Ms: loop.p99,
      loopMaxMs: loop.max,
    };
    writeFileSync(`/proc/${pid}/clear_refs`, FORGET_PEAK);
    this.#startMs = nowMs;
    this.#cpuSeconds = cpu;
    this.#anonMaxBytes = residentBytes(pid, "RssAnon");
    return figure;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Since it was last asked for: the server begins anew with each scrape. */
async function loopDelay({
  url,
}: ServerProcess): Promise<{ p99: number | undefined; max: number | undefined }> {
  const response = await fetch(`${url}/metrics`);
  const text = await response.text();
  const milliseconds = (quantile: string): number | undefined => {
    const line = `^strata_event_loop_delay_seconds\\{quantile="${quantile}"\\} (\\S+)$`;
    const found = new RegExp(line, "m").exec(text)?.[1];
    return found === undefined ? undefined : Number(found) * 1000;
  };
  return { p99: milliseconds("0.99"), max: milliseconds("1") };
}
