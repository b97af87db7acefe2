/** A command's surroundings without a process: streams that keep what is written, and signals sent by hand. */
import { Readable, Writable } from "node:stream";
import type { StopSignal } from "../../src/console/exit-codes.ts";
import type { Io } from "../../src/console/io.ts";

/** Keeps what is written. */
export class TextSink extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly isTTY: boolean;

  constructor(isTTY = false) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString();
  }
}

export class MemoryIo implements Io {
  readonly stdin: Readable;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly env: Io["env"];
  nowMs: number = Date.UTC(2026, 0, 2, 3, 4, 5);
  readonly #onHangup = new Set<() => void>();
  #stop: StopSignal | undefined;
  #controller: AbortController | undefined;

  constructor(
    options: {
      readonly env?: Io["env"];
      readonly stdoutIsTerminal?: boolean;
      readonly stderrIsTerminal?: boolean;
      /** All that there is to read, or what comes bit by bit. */
      readonly stdin?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
    } = {},
  ) {
    const { stdin = "" } = options;
    this.stdin = Readable.from(
      typeof stdin === "string" || stdin instanceof Uint8Array ? [Buffer.from(stdin)] : stdin,
    );
    this.env = options.env ?? {};
    this.stdout = new TextSink(options.stdoutIsTerminal);
    this.stderr = new TextSink(options.stderrIsTerminal);
  }

  now(): Date {
    return new Date(this.nowMs);
  }

  /** Calls whoever listens to SIGHUP. */
  hangUp(): void {
    for (const called of this.#onHangup) called();
  }

  onHangup(called: () => void): () => void {
    this.#onHangup.add(called);
    return () => this.#onHangup.delete(called);
  }

  /** Now, or as soon as there is work to stop. */
  send(signal: StopSignal): void {
    this.#stop = signal;
    this.#controller?.abort(signal);
  }

  async interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#controller = controller;
    if (this.#stop !== undefined) controller.abort(this.#stop);
    return await work(controller.signal);
  }
}
