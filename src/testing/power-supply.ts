import { invariant } from "../base/invariant.ts";
import { type Rng, rng } from "./rng.ts";

/** The power went out during event number `event`, or had gone out by then: the machine does nothing more. */
export class PowerCutError extends Error {
  override readonly name: string = "PowerCutError";
  readonly event: number;

  constructor(event: number) {
    super(`the power went out at event ${event}`);
    this.event = event;
  }
}

/**
 * What changes the disk, or makes a change last; reads do neither. `name` is the file's at the time, with its folder;
 * of a directory's sync the folder's, `.` for the disk itself.
 */
export type DiskChange =
  | {
      readonly kind: "create" | "remove" | "sync" | "sync-directory";
      readonly name: string;
    }
  | {
      readonly kind: "write";
      readonly name: string;
      readonly offsetBytes: number;
      readonly bytes: number;
    }
  | { readonly kind: "truncate"; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: "rename"; readonly name: string; readonly to: string };

export type DiskEvent = DiskChange & { readonly event: number };

export interface PowerCutOptions {
  /** The event, counted from 1, during which the power goes out; default never. */
  readonly cutAt?: number;
  /** Decides how far the event at the cut came; default: the same for the same `cutAt`. */
  readonly chance?: Rng;
  /**
   * Whether a write that the cut stops ends with a whole sector of the file: what a power loss does, and a kernel that
   * copies pages. Default: it ends anywhere, which no disk does and a careful format survives all the same.
   */
  readonly wholeSectors?: boolean;
  /** Called before each event takes effect: the moment for a `crashClone`. */
  readonly onEvent?: (event: DiskEvent) => void;
}

/** Numbers the events of one machine, and stops it at the chosen one. */
export class PowerSupply {
  readonly chance: Rng;
  readonly log: DiskEvent[] = [];
  readonly wholeSectors: boolean;
  readonly #cutAt: number;
  readonly #onEvent: ((event: DiskEvent) => void) | undefined;
  #down = false;

  constructor(options: PowerCutOptions) {
    this.#cutAt = options.cutAt ?? Number.POSITIVE_INFINITY;
    this.chance = options.chance ?? rng(this.#cutAt);
    this.#onEvent = options.onEvent;
    this.wholeSectors = options.wholeSectors ?? false;
    invariant(this.#cutAt >= 1, "events are counted from 1", { cutAt: this.#cutAt });
  }

  mustBeUp(): void {
    if (this.#down) throw new PowerCutError(this.log.length);
  }

  turnOff(): void {
    this.#down = true;
  }

  /**
   * One event. At the cut, `take` is called with false: as much of the event as chance will have it reaches the
   * cache, and a reboot decides again what becomes of that.
   */
  step(change: DiskChange, take: (whole: boolean) => void): void {
    this.mustBeUp();
    const event: DiskEvent = { ...change, event: this.log.length + 1 };
    this.#onEvent?.(event);
    this.log.push(event);
    const cut = event.event >= this.#cutAt;
    take(!cut);
    if (cut) this.turnOff();
    this.mustBeUp();
  }
}

/** As one line: `7 write db 4096+512` is event 7, at offset 4096, of 512 bytes. */
export function describeEvent(event: DiskEvent): string {
  const what = `${event.event} ${event.kind.replace("-", " ")} ${event.name}`;
  if (event.kind === "write") return `${what} ${event.offsetBytes}+${event.bytes}`;
  if (event.kind === "truncate") return `${what} to ${event.sizeBytes}`;
  if (event.kind === "rename") return `${what} to ${event.to}`;
  return what;
}
