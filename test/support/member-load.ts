/** A mixed load on a member, many requests at a time, each told to the model when it is answered. */
import type { Action, Change, RunningMember } from "./member-actions.ts";
import type { MemberModel } from "./member-model.ts";
import type { Rng } from "./rng.ts";

export interface LoadOptions {
  readonly actions: number;
  readonly concurrency: number;
  /** Compactions are at revisions up to this one, so that the history behind it stays to be looked at. */
  readonly compactUpTo: number;
  /** Ends it early; what is under way is answered, or lost. */
  readonly signal?: AbortSignal;
  /** How many actions were answered by now. */
  readonly onAnswer?: (answered: number) => void;
}

const KEYS = 300;

export class MemberLoad {
  readonly #model: MemberModel;
  readonly #random: Rng;
  #values = 0;
  #leases = 0;
  readonly #granted: string[] = [];

  constructor(model: MemberModel, random: Rng) {
    this.#model = model;
    this.#random = random;
  }

  async run(member: RunningMember, options: LoadOptions): Promise<void> {
    let begun = 0;
    let answered = 0;
    const worker = async (): Promise<void> => {
      while (begun < options.actions && !options.signal?.aborted) {
        begun++;
        const issued = this.#model.issue(this.#action(options.compactUpTo));
        const outcome = await member.act(issued.action);
        this.#model.answered(issued, outcome);
        if (outcome.kind === "lost") return;
        options.onAnswer?.(++answered);
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, worker));
  }

  #action(compactUpTo: number): Action {
    const random = this.#random;
    const draw = random.float();
    if (draw < 0.5) return this.#put(this.#key());
    if (draw < 0.65) return this.#delete();
    if (draw < 0.85) return this.#txn();
    if (draw < 0.9) return this.#grant();
    if (draw < 0.93) return { kind: "revoke", id: this.#lease() };
    if (draw < 0.95) return { kind: "keepAlive", id: this.#lease() };
    if (draw < 0.97) {
      const from = Math.max(this.#model.compacted, 1);
      const room = Math.max(1, compactUpTo - from);
      return { kind: "compact", revision: from + random.int(Math.min(room, 200)) };
    }
    if (draw < 0.971 && this.#model.revision > 1) {
      return { kind: "raiseAlarm", member: this.#model.memberId };
    }
    if (this.#model.alarmed && draw < 0.98) return { kind: "disarm", member: this.#model.memberId };
    return this.#put(this.#key());
  }

  #key(): string {
    return `k${String(this.#random.int(KEYS)).padStart(3, "0")}`;
  }

  #lease(): string {
    return this.#granted.length === 0 ? "1" : this.#random.pick(this.#granted.slice(-20));
  }

  #put(key: string): Change & { kind: "put" } {
    const random = this.#random;
    const length = random.bool(0.02) ? random.int(20_000) : random.int(120);
    const value = `${++this.#values}:`.padEnd(length, "strata ");
    return { kind: "put", key, value, ...(random.bool(0.2) && { lease: this.#lease() }) };
  }

  #delete(): Change {
    const key = this.#key();
    return this.#random.bool(0.7)
      ? { kind: "delete", key }
      : { kind: "delete", key, end: `${key.slice(0, 3)}~` };
  }

  /** Each branch puts something of its own, and changes no key twice. */
  #txn(): Action {
    const branch = (prefix: string): Change[] => {
      const keys = new Set(Array.from({ length: 1 + this.#random.int(4) }, () => this.#key()));
      const [first = "", ...more] = keys;
      return [
        this.#put(prefix + first),
        ...more.map((key) =>
          this.#random.bool(0.7) ? this.#put(key) : ({ kind: "delete", key } as const),
        ),
      ];
    };
    return { kind: "txn", ifThere: this.#key(), then: branch("t"), else: branch("e") };
  }

  #grant(): Action {
    const id = String(1_000_000_000_000_000_000n + BigInt(++this.#leases));
    this.#granted.push(id);
    return { kind: "grant", id, ttl: this.#random.bool(0.1) ? 3 : 600 };
  }
}
