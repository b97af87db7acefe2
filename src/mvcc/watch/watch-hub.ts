/**
 * Watches, on one store and in one process. A watcher is live, and then given each revision as the store makes it; or
 * behind, and then brought up to the present from history (catch-up.ts). Its stream holds what it has not taken yet,
 * within bounds (watch-stream.ts): whoever takes too slowly falls behind, and loses nothing but to compaction.
 *
 * All of it runs on the main loop, and a consumer is called back only when the hub's own work is done, so that it may
 * do anything then, except throw.
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { invariant } from "../../base/invariant.ts";
import { CatchUp } from "./catch-up.ts";
import { HISTORY_TUNING, type HistoryOwner, type HistoryTuning } from "./history.ts";
import { notifyProgress } from "./progress-notify.ts";
import { RevisionEvents } from "./revision-events.ts";
import type { Change, WatchSource } from "./source.ts";
import type { WatchBatch } from "./watch-event.ts";
import {
  DEFAULT_WATCH_LIMITS,
  type StreamOwner,
  type WatchLimits,
  WatchStream,
} from "./watch-stream.ts";
import type { Watcher, WatchOptions } from "./watcher.ts";
import { WatcherGroup } from "./watcher-group.ts";

export interface WatchHubOptions {
  /** 0 ≤ result < 1: when progress is due. */
  readonly random: () => number;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Runs `slice` once, in a later turn of the event loop. Default: setImmediate. */
  readonly schedule?: (slice: () => void) => void;
  /** What catching up may take of the main loop at once, in milliseconds, about. Default 1. */
  readonly sliceMs?: number;
  /** Between two looks at who is due for a progress batch, in milliseconds; up to 10 % more. Default 10 minutes, as etcd's. */
  readonly progressIntervalMs?: number;
  /** Default: HISTORY_TUNING. */
  readonly tuning?: Partial<HistoryTuning>;
}

/** One watch with a queue of its own. */
export interface SingleWatch {
  readonly watcher: Watcher;
  /** The next batch, undefined if there is none now. After a wake, take until there is none. */
  take(): WatchBatch | undefined;
  /** Asks for a progress batch. @returns false, and nothing comes, unless the watch is live and has begun */
  progress(): boolean;
  cancel(): void;
}

const PROGRESS_INTERVAL_MS = 600_000;

export class WatchHub {
  readonly #source: WatchSource;
  readonly #live = new WatcherGroup();
  readonly #behind = new Set<Watcher>();
  readonly #streams = new Set<WatchStream>();
  readonly #catchUp: CatchUp;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #progressIntervalMs: number;
  /** Aborted when the stream is closed. */
  readonly #progressLoops = new Map<WatchStream, AbortController>();
  readonly #owner: StreamOwner & HistoryOwner;
  #revision: number;
  /** Whether the hub is at work, so that nobody can be called back now. */
  #working = false;
  #toWake: WatchStream[] = [];
  #touched: Watcher[] = [];

  constructor(source: WatchSource, options: WatchHubOptions) {
    this.#source = source;
    this.#revision = source.currentRevision;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random;
    this.#progressIntervalMs = options.progressIntervalMs ?? PROGRESS_INTERVAL_MS;
    this.#owner = this.#makeOwner({ ...HISTORY_TUNING, ...options.tuning });
    const schedule = options.schedule ?? setImmediate;
    this.#catchUp = new CatchUp(this.#owner, {
      clock: this.#clock,
      schedule: (slice) => {
        schedule(() => {
          this.#working = true;
          slice();
          this.#working = false;
          this.#wakeAll();
        });
      },
      sliceMs: options.sliceMs ?? 1,
    });
  }

  /** Watchers that are not over. */
  get watchers(): number {
    return this.#live.size + this.#behind.size;
  }

  /** Of these, how many are behind: etcd's slow watchers. */
  get slowWatchers(): number {
    return this.#behind.size;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Events that consumers have taken since the start. */
  get eventsTaken(): number {
    return this.#owner.eventsTaken;
  }

  /** Events that wait to be taken. Costs a look at each stream. */
  get eventsPending(): number {
    let events = 0;
    for (const stream of this.#streams) events += stream.bufferedEvents;
    return events;
  }

  /** The last revision that live watchers were given. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * The store applied a transaction: to be called once for each that changed something, in order, right after it can
   * be read. Consumers are called back before it returns.
   * @param changes  in order; their bytes must never change
   */
  changed(main: number, changes: readonly Change[]): void {
    if (main <= this.#revision) {
      invariant(false, "revisions come in order", { main, after: this.#revision });
    }
    this.#revision = main;
    if (this.#live.size === 0) return;
    const touched = this.#touched;
    this.#working = true;
    const events = new RevisionEvents(main, changes, this.#source);
    events.handOut(this.#live, touched);
    for (let i = 0; i < touched.length; i++) {
      const watcher = touched[i] as Watcher;
      const pending = watcher.pending ?? [];
      watcher.pending = undefined;
      if (events.failure !== undefined && watcher.prevKv) {
        // The write itself must not fail for that. History tries again, and ends the watcher if it must.
        this.#fallBehind(watcher, main);
        this.#catchUp.add(watcher);
      } else if (!watcher.stream.addLive(watcher, main, pending)) {
        this.#fallBehind(watcher, main);
        watcher.stream.waitForRoom(watcher);
      }
    }
    if (touched.length > 0) this.#touched = [];
    this.#working = false;
    this.#wakeAll();
  }

  /**
   * A queue for any number of watchers.
   * @param wake  called when there is something to take, once until it is taken; never from within `watch`
   */
  stream(wake: () => void, limits: WatchLimits = DEFAULT_WATCH_LIMITS): WatchStream {
    const stream = new WatchStream(this.#owner, limits, wake);
    this.#streams.add(stream);
    return stream;
  }

  /** One watch with a queue of its own; see `stream` and `WatchStream.watch`. */
  watch(options: WatchOptions, wake: () => void, limits?: WatchLimits): SingleWatch {
    const stream = this.stream(wake, limits);
    try {
      const watcher = stream.watch(options);
      return {
        watcher,
        take: () => stream.take(),
        progress: () => stream.progress(watcher),
        cancel: () => stream.close(),
      };
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Closes all streams, and wakes their consumers once more. */
  close(): void {
    this.#catchUp.close();
    const streams = [...this.#streams];
    for (const stream of streams) stream.close();
    for (const stream of streams) stream.wakeClosed();
  }

  #fallBehind(watcher: Watcher, next: number): void {
    this.#live.remove(watcher);
    watcher.state = "behind";
    watcher.next = next;
    this.#behind.add(watcher);
  }

  #enter(watcher: Watcher): void {
    if (watcher.progressNotify && !this.#progressLoops.has(watcher.stream)) {
      this.#startProgress(watcher.stream);
    }
    this.#behind.add(watcher);
    if (watcher.next > this.#revision) this.#goLive(watcher);
    else this.#catchUp.add(watcher);
  }

  #goLive(watcher: Watcher): void {
    this.#behind.delete(watcher);
    watcher.state = "live";
    // A batch of history that is not taken yet is closed: live ones come behind it.
    watcher.open = undefined;
    watcher.next = Math.max(watcher.next, this.#revision + 1);
    this.#live.add(watcher);
  }

  #leave(watcher: Watcher): void {
    if (watcher.state === "live") this.#live.remove(watcher);
    else {
      this.#behind.delete(watcher);
      this.#catchUp.remove(watcher);
    }
  }

  #startProgress(stream: WatchStream): void {
    const controller = new AbortController();
    this.#progressLoops.set(stream, controller);
    const options = {
      clock: this.#clock,
      random: this.#random,
      intervalMs: this.#progressIntervalMs,
    };
    // It ends with the stream, and has no error of its own.
    void notifyProgress(stream, options, controller.signal);
  }

  #closed(stream: WatchStream): void {
    this.#streams.delete(stream);
    this.#progressLoops.get(stream)?.abort();
    this.#progressLoops.delete(stream);
  }

  #wakeSoon(stream: WatchStream): void {
    this.#toWake.push(stream);
    if (!this.#working) this.#wakeAll();
  }

  #wakeAll(): void {
    if (this.#toWake.length === 0) return;
    // What consumers do may add to a new list, which is then gone through from in there.
    const streams = this.#toWake;
    this.#toWake = [];
    for (let i = 0; i < streams.length; i++) (streams[i] as WatchStream).wake();
  }

  #makeOwner(tuning: HistoryTuning): StreamOwner & HistoryOwner {
    const hub = this;
    return {
      source: this.#source,
      tuning,
      eventsTaken: 0,
      get revision() {
        return hub.#revision;
      },
      enter: (watcher) => this.#enter(watcher),
      leave: (watcher) => this.#leave(watcher),
      goLive: (watcher) => this.#goLive(watcher),
      wakeSoon: (stream) => this.#wakeSoon(stream),
      closed: (stream) => this.#closed(stream),
    };
  }
}
