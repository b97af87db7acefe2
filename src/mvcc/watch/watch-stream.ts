/**
 * A consumer's watchers, and the one queue in which everything for them waits in order, bounded in bytes and events.
 * That progress can be told for all watchers at once, and never ahead of their events, is why the queue is shared.
 *
 * A watcher whose next revision does not fit is behind from then on: nothing more is held for it. When half of the
 * queue has been taken, those behind go on, the furthest behind first, so that none starves beside a busy one.
 */
import { StrataError } from "../../base/errors.ts";
import { Fifo } from "./fifo.ts";
import { bytesOf, type WatchBatch, type WatchEvent } from "./watch-event.ts";
import { Watcher, type WatchOptions } from "./watcher.ts";

export interface WatchLimits {
  /** Of events that wait to be taken. One revision larger than that is handed out alone. */
  readonly maxBufferedBytes: number;
  readonly maxBufferedEvents: number;
}

export const DEFAULT_WATCH_LIMITS: WatchLimits = {
  maxBufferedBytes: 4 * 1024 * 1024,
  maxBufferedEvents: 10_000,
};

/** etcd's `watchBatchMaxRevs`. */
export const BATCH_REVISIONS_MAX = 1000;
/** Whoever asks for progress and does not read the answers gets no more of them. */
const PROGRESS_WAITING_MAX = 128;

/** What a stream needs of the hub. */
export interface StreamOwner {
  /** The last revision that live watchers were given. */
  readonly revision: number;
  /** Events that consumers have taken. */
  eventsTaken: number;
  enter(watcher: Watcher): void;
  leave(watcher: Watcher): void;
  /** Calls the stream's `wake` as soon as the hub is in a state to be called back. */
  wakeSoon(stream: WatchStream): void;
  closed(stream: WatchStream): void;
}

export interface EventsEntry {
  readonly kind: "events";
  readonly watcher: Watcher;
  revision: number;
  events: readonly WatchEvent[];
  bytes: number;
  revisions: number;
}

interface ProgressEntry {
  readonly kind: "progress";
  readonly watcher: Watcher | undefined;
  readonly revision: number;
  /** Watches that the stream had begun by then. */
  readonly begun: number;
}

type Entry = EventsEntry | ProgressEntry | Extract<WatchBatch, { kind: "compacted" | "failed" }>;

export class WatchStream {
  readonly #owner: StreamOwner;
  readonly #limits: WatchLimits;
  readonly #wake: () => void;
  readonly #queue = new Fifo<Entry>();
  readonly #watchers = new Set<Watcher>();
  /** Those behind that wait for room here. */
  #waiting = new Set<Watcher>();
  #bytes = 0;
  #events = 0;
  #progressEntries = 0;
  #begun = 0;
  #woken = false;
  #closed = false;

  constructor(owner: StreamOwner, limits: WatchLimits, wake: () => void) {
    this.#owner = owner;
    this.#limits = limits;
    this.#wake = wake;
  }

  /** Those that are not over. */
  get watchers(): ReadonlySet<Watcher> {
    return this.#watchers;
  }

  /** Of events that wait to be taken. */
  get bufferedBytes(): number {
    return this.#bytes;
  }

  get bufferedEvents(): number {
    return this.#events;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Begins a watch. A start that is compacted is told by a batch, as a later compaction would be.
   * @throws StrataError BAD_ARGUMENT (no key can be in the range), CLOSED
   */
  watch(options: WatchOptions): Watcher {
    if (this.#closed) throw new StrataError("CLOSED", "the watch stream is closed");
    const { start, end, startRevision = 0 } = options;
    if (end !== "" && end !== "\0" && end <= start) {
      throw new StrataError("BAD_ARGUMENT", "mvcc: watcher range is empty");
    }
    if (!Number.isSafeInteger(startRevision) || startRevision < 0) {
      throw new StrataError("BAD_ARGUMENT", `a watch cannot start at revision ${startRevision}`);
    }
    const next = startRevision === 0 ? this.#owner.revision + 1 : startRevision;
    const watcher = new Watcher(this, options, next);
    this.#begun++;
    this.#watchers.add(watcher);
    this.#owner.enter(watcher);
    return watcher;
  }

  /** The next batch, undefined if there is none now. After a wake, take until there is none. */
  take(): WatchBatch | undefined {
    this.#woken = false;
    for (let entry = this.#queue.shift(); entry !== undefined; entry = this.#queue.shift()) {
      const { watcher } = entry;
      if (entry.kind === "events") this.#taken(entry);
      else if (entry.kind === "progress") {
        this.#progressEntries--;
        // What held for all watchers then does not for one that has begun since.
        if (watcher === undefined && entry.begun !== this.#begun) continue;
      }
      if (watcher?.state !== "cancelled") return entry;
    }
    return undefined;
  }

  /**
   * Asks for a progress batch: of the whole stream, or of one watcher.
   * @returns false, and nothing comes, unless everybody asked about is live and has reached its start revision; as in
   *   etcd's 3.6, also if there is nobody. A batch for the whole stream that waits when another watch begins is dropped:
   *   it would not be true of that one
   */
  progress(watcher?: Watcher): boolean {
    const { revision } = this.#owner;
    if (this.#progressEntries >= PROGRESS_WAITING_MAX || this.#closed) return false;
    if (watcher === undefined && this.#watchers.size === 0) return false;
    for (const one of watcher === undefined ? this.#watchers : [watcher]) {
      if (one.state !== "live" || one.startRevision > revision) return false;
    }
    this.#progressEntries++;
    this.#push({ kind: "progress", watcher, revision, begun: this.#begun });
    return true;
  }

  /** No batch of the watcher is handed out after this. */
  cancel(watcher: Watcher): void {
    if (this.#watchers.has(watcher)) this.#end(watcher);
    watcher.state = "cancelled";
  }

  /** Cancels all watchers; nothing is handed out after this. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watcher of this.#watchers) this.cancel(watcher);
    this.#queue.clear();
    this.#bytes = 0;
    this.#events = 0;
    this.#progressEntries = 0;
    this.#owner.closed(this);
  }

  // What follows is for the engine.

  /** A live watcher's events of one revision. @returns false if they do not fit */
  addLive(watcher: Watcher, revision: number, events: readonly WatchEvent[]): boolean {
    const bytes = bytesOf(events);
    if (!this.#fits(bytes, events.length)) return false;
    this.#addEvents({ kind: "events", watcher, revision, events, bytes, revisions: 1 });
    return true;
  }

  /** Events of one revision of history. @param current  revision, for the header. @returns false if they do not fit */
  addHistory(watcher: Watcher, current: number, events: readonly WatchEvent[]): boolean {
    const bytes = bytesOf(events);
    if (!this.#fits(bytes, events.length)) return false;
    const { open } = watcher;
    if (open !== undefined && open.revisions < BATCH_REVISIONS_MAX) {
      for (const event of events) (open.events as WatchEvent[]).push(event);
      open.revision = current;
      open.bytes += bytes;
      open.revisions++;
      this.#bytes += bytes;
      this.#events += events.length;
    } else {
      const entry: EventsEntry = {
        kind: "events",
        watcher,
        revision: current,
        events: [...events],
        bytes,
        revisions: 1,
      };
      watcher.open = entry;
      this.#addEvents(entry);
    }
    return true;
  }

  /** The watcher is over, and its consumer is told so after the events before. */
  endWith(entry: Extract<WatchBatch, { kind: "compacted" | "failed" }>): void {
    this.#end(entry.watcher);
    entry.watcher.state = "ended";
    this.#push(entry);
  }

  /** A watcher behind found no room: it goes on from `next` when enough has been taken. */
  waitForRoom(watcher: Watcher): void {
    this.#waiting.add(watcher);
  }

  /** Calls the consumer, at most once between two takes. */
  wake(): void {
    if (this.#woken || this.#queue.length === 0) return;
    this.#woken = true;
    this.#wake();
  }

  #end(watcher: Watcher): void {
    this.#waiting.delete(watcher);
    this.#watchers.delete(watcher);
    watcher.open = undefined;
    this.#owner.leave(watcher);
  }

  #taken(entry: EventsEntry): void {
    const { watcher } = entry;
    this.#bytes -= entry.bytes;
    this.#events -= entry.events.length;
    this.#owner.eventsTaken += entry.events.length;
    watcher.tookEvents = true;
    if (watcher.open === entry) watcher.open = undefined;
    this.#goOn();
  }

  /** Calls the consumer of a stream that the hub closed: nothing comes any more. */
  wakeClosed(): void {
    this.#wake();
  }

  #fits(bytes: number, events: number): boolean {
    if (this.#events === 0) return true;
    const { maxBufferedBytes, maxBufferedEvents } = this.#limits;
    return this.#bytes + bytes <= maxBufferedBytes && this.#events + events <= maxBufferedEvents;
  }

  #addEvents(entry: EventsEntry): void {
    this.#bytes += entry.bytes;
    this.#events += entry.events.length;
    this.#push(entry);
  }

  #push(entry: Entry): void {
    this.#queue.push(entry);
    if (!this.#woken) this.#owner.wakeSoon(this);
  }

  /** Sends those behind on their way again, if there is room. */
  #goOn(): void {
    if (this.#waiting.size === 0) return;
    const { maxBufferedBytes, maxBufferedEvents } = this.#limits;
    const half = this.#bytes * 2 <= maxBufferedBytes && this.#events * 2 <= maxBufferedEvents;
    if (this.#events > 0 && !half) return;
    const waiting = [...this.#waiting].sort((a, b) => a.next - b.next);
    this.#waiting.clear();
    for (const watcher of waiting) this.#owner.enter(watcher);
  }
}
