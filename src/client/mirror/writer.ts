/** The side of a mirror that is written to. */
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS, type RequestOp } from "../../proto/tables/kv.ts";
import type { Partially } from "../../proto/tables/message-table.ts";
import { persist } from "../concurrency/persist.ts";
import type { Rpc } from "../rpc.ts";
import { GrpcStatus, RpcError } from "../status.ts";

/** A put, or the removal of one key. */
export interface Write {
  readonly key: Uint8Array;
  /** Undefined: it goes. */
  readonly value: Uint8Array | undefined;
}

/** Well below what servers take by default (1.5 MiB). */
const TXN_BYTES_MAX: number = 1024 * 1024;

export class MirrorWriter {
  readonly #rpc: Rpc;
  readonly #maxTxnOps: number;
  readonly #signal: AbortSignal;

  /** @param maxTxnOps  of one transaction; 0: as many as there are */
  constructor(rpc: Rpc, maxTxnOps: number, signal: AbortSignal) {
    this.#rpc = rpc;
    this.#maxTxnOps = maxTxnOps > 0 ? maxTxnOps : Number.POSITIVE_INFINITY;
    this.#signal = signal;
  }

  /**
   * Writes groups in their order, several in one transaction where that is possible: no key may stand there twice.
   * Only a group that is larger than a transaction may be is taken apart.
   */
  async write(groups: Iterable<readonly Write[]>): Promise<void> {
    let batch: Write[] = [];
    let keys = new Set<string>();
    let bytes = 0;
    for (const group of groups) {
      const names = group.map(({ key }) => Buffer.from(key).toString("latin1"));
      const more = group.reduce((sum, write) => sum + bytesOf(write), 0);
      const fits =
        batch.length + group.length <= this.#maxTxnOps &&
        bytes + more <= TXN_BYTES_MAX &&
        !names.some((name) => keys.has(name));
      if (!fits && batch.length > 0) {
        await this.#commit(batch);
        batch = [];
        keys = new Set();
        bytes = 0;
      }
      batch.push(...group);
      for (const name of names) keys.add(name);
      bytes += more;
    }
    if (batch.length > 0) await this.#commit(batch);
  }

  /** A server that goes away is waited for: to write the same again does no harm. */
  async #commit(writes: readonly Write[]): Promise<void> {
    if (writes.length > this.#maxTxnOps) {
      await this.#commit(writes.slice(0, this.#maxTxnOps));
      await this.#commit(writes.slice(this.#maxTxnOps));
      return;
    }
    const request = { success: writes.map(operation) };
    const settings = { signal: this.#signal };
    try {
      await persist({}, this.#signal, () => this.#rpc.call(KV_METHODS.txn, request, settings));
    } catch (error) {
      if (writes.length === 1 || !isTooLarge(error)) throw error;
      // This server takes less than is usual.
      const half = Math.ceil(writes.length / 2);
      await this.#commit(writes.slice(0, half));
      await this.#commit(writes.slice(half));
    }
  }
}

function bytesOf({ key, value }: Write): number {
  return key.length + (value?.length ?? 0);
}

function operation({ key, value }: Write): Partially<RequestOp> {
  return value === undefined ? { requestDeleteRange: { key } } : { requestPut: { key, value } };
}

function isTooLarge(error: unknown): boolean {
  if (error instanceof EtcdError) {
    return error.code === "REQUEST_TOO_LARGE" || error.code === "TOO_MANY_OPS";
  }
  return error instanceof RpcError && error.grpcStatus === GrpcStatus.resourceExhausted;
}
