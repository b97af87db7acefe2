/** One watch: what it asks for, and how far it has come. */
import type { Sweep } from "./sweep.ts";
import type { WatchEvent } from "./watch-event.ts";
import type { EventsEntry, WatchStream } from "./watch-stream.ts";
import type { Bucket, WatcherGroup } from "./watcher-group.ts";

export interface WatchOptions {
  /** One character a byte. */
  readonly start: string;
  /** Exclusive; "" = `start` alone, "\0" = no end. */
  readonly end: string;
  /** The first revision wanted; 0 (as without it) = the next change. May lie in the future. */
  readonly startRevision?: number;
  readonly noPut?: boolean;
  readonly noDelete?: boolean;
  readonly prevKv?: boolean;
  /** Now and then a progress batch, when there was nothing else. */
  readonly progressNotify?: boolean;
}

/**
 * live: given each revision as it is made. behind: history has to be read first, whether that goes on now or waits for
 * room in the stream. ended: compacted or failed, which its last batch says. cancelled: nothing more is handed out.
 */
export type WatcherState = "live" | "behind" | "ended" | "cancelled";

/** Made by `WatchStream.watch`. What is not documented is the engine's. */
export class Watcher {
  readonly stream: WatchStream;
  readonly start: string;
  readonly end: string;
  readonly startRevision: number;
  readonly noPut: boolean;
  readonly noDelete: boolean;
  readonly prevKv: boolean;
  readonly progressNotify: boolean;

  state: WatcherState = "behind";
  /** Nothing below it is wanted, or wanted any more. Of a live watcher it is not kept up. */
  next: number;
  /** Where it is found by key, if anywhere. */
  group: WatcherGroup | undefined;
  bucket: Bucket | undefined;
  slot = 0;
  sweep: Sweep | undefined;
  /** The last batch of history in the stream's queue, while more may be added to it. */
  open: EventsEntry | undefined;
  /** Events of the revision that is being handed out. */
  pending: readonly WatchEvent[] | undefined;
  /** Whether `pending` is its own array, not one that it shares. */
  ownsPending = false;
  /** Whether the consumer took events since the last time that progress was due. */
  tookEvents = false;

  constructor(stream: WatchStream, options: WatchOptions, next: number) {
    this.stream = stream;
    this.start = options.start;
    this.end = options.end;
    this.startRevision = options.startRevision ?? 0;
    this.noPut = options.noPut ?? false;
    this.noDelete = options.noDelete ?? false;
    this.prevKv = options.prevKv ?? false;
    this.progressNotify = options.progressNotify ?? false;
    this.next = next;
  }

  /** No batch of it is handed out after this. */
  cancel(): void {
    this.stream.cancel(this);
  }
}
