/** A server that is measured, with the processes that load it and everything that is known of it. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { copyDataDir, databaseBytes } from "../store/data-dir.ts";
import { revisionOf, type ServerKind, type ServerProcess } from "../wire/server-process.ts";
import { run } from "./command.ts";
import { LoadProcess } from "./load-process.ts";
import type { LoadFigure } from "./paced-load.ts";
import { etcdctl, fastReceiver, ourEtcdctl } from "./phases.ts";
import { ServerWatch } from "./server-watch.ts";

export interface SideOptions {
  readonly kind: ServerKind;
  /** Never to be opened. */
  readonly made: string;
  readonly folder: string;
  readonly keys: number;
  readonly valueBytes: number;
  /** A second; 0: none. */
  readonly puts: number;
  readonly gets: number;
  readonly connections: number;
}

const QUOTA_FLAG = "--quota-backend-bytes=68719476736";

export interface SaveSpeed {
  readonly bytes: number;
  /** Of the real etcdctl; of ours too, if the server is ours. */
  readonly etcdctlMs: readonly number[];
  readonly ourEtcdctlMs: readonly number[];
  /** Of a receiver that throws it away. */
  readonly receivedMs: readonly number[];
}

export class Side implements AsyncDisposable {
  readonly name: "strata" | "etcd";
  readonly server: ServerProcess;
  readonly puts: LoadProcess;
  readonly gets: LoadProcess;
  readonly watch: ServerWatch;
  readonly snapshot: string;
  readonly #dataDir: string;
  #revision = 0;

  private constructor(
    kind: ServerKind,
    dataDir: string,
    parts: { server: ServerProcess; puts: LoadProcess; gets: LoadProcess; watch: ServerWatch },
  ) {
    this.name = kind.name === "etcd" ? "etcd" : "strata";
    this.server = parts.server;
    this.puts = parts.puts;
    this.gets = parts.gets;
    this.watch = parts.watch;
    this.snapshot = `${dataDir}.snapshot`;
    this.#dataDir = dataDir;
  }

  /** On a copy of its own. */
  static async start(options: SideOptions): Promise<Side> {
    const { kind, made, folder, keys, valueBytes, connections } = options;
    const dataDir = join(folder, kind.name);
    copyDataDir(made, dataDir);
    const server = await kind.start(dataDir, [QUOTA_FLAG]);
    try {
      const order = { port: server.port, keys, valueBytes, connections };
      const [puts, gets] = await Promise.all([
        LoadProcess.start({ ...order, operation: "put", rate: options.puts }),
        LoadProcess.start({ ...order, operation: "get", rate: options.gets }),
      ]);
      const watch = await ServerWatch.start(server);
      const side = new Side(kind, dataDir, { server, puts, gets, watch });
      side.#revision = await revisionOf(server.url);
      return side;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Of the database's file. */
  get databaseBytes(): number {
    return databaseBytes(this.#dataDir);
  }

  /** Every put that was acknowledged made a revision. @throws Error if one did not */
  async mustHave(figures: readonly LoadFigure[]): Promise<void> {
    const acknowledged = figures.reduce((sum, { answered }) => sum + answered, 0);
    const revision = await revisionOf(this.server.url);
    if (revision < this.#revision + acknowledged) {
      throw new Error(`${this.name}: ${acknowledged} puts, but only ${revision - this.#revision}`);
    }
    this.#revision = revision;
  }

  /** At full speed, without a load; the snapshot is there afterwards. */
  async save(rounds: number): Promise<SaveSpeed> {
    const args = ["--endpoints", this.server.url, "snapshot", "save", this.snapshot];
    const etcdctlMs: number[] = [];
    const ourEtcdctlMs: number[] = [];
    const receivedMs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      etcdctlMs.push(await run(etcdctl(...args)));
      if (this.name === "strata") ourEtcdctlMs.push(await run(ourEtcdctl(...args)));
      receivedMs.push(await run(fastReceiver(this.server.port)));
    }
    return { bytes: statSync(this.snapshot).size, etcdctlMs, ourEtcdctlMs, receivedMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch[Symbol.dispose]();
    this.puts[Symbol.dispose]();
    this.gets[Symbol.dispose]();
    await this.server.stop();
  }
}
