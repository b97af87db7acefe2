/** Which server is tried when, by a clock that the test winds. */
import { expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { clientClosing, type RpcError } from "../status.ts";
import { Channel, type Reachable } from "./channel.ts";
import type { Observer } from "./connection.ts";
import { Patience } from "./patience.ts";

/** A connection as a channel sees it. */
class Fake implements Reachable {
  readonly openedMs: number;
  isUsable = true;
  lost: RpcError | undefined;
  observer: Observer | undefined;

  constructor(openedMs: number) {
    this.openedMs = openedMs;
  }

  observe(observer: Observer): void {
    this.observer = observer;
  }

  retire(): void {
    this.isUsable = false;
    this.observer?.onUnusable();
  }

  destroy(): void {
    this.retire();
    this.observer?.onGone();
  }
}

type Manner = "good" | "refuses" | "hangs";

interface World {
  readonly clock: ManualClock;
  /** `a 250`: who, and when. */
  readonly tried: readonly string[];
  readonly made: readonly Fake[];
  readonly channel: Channel<Fake>;
  readonly manners: Manner[];
}

/** Servers a, b, c, …, each with its manners, and when they were tried. */
function world(...manners: Manner[]): World {
  const clock = new ManualClock();
  const tried: string[] = [];
  const made: Fake[] = [];
  const channel = new Channel({
    endpoints: manners.map((_, at) => String.fromCharCode(0x61 + at)),
    clock,
    random: () => 0,
    connect: async (endpoint, signal) => {
      tried.push(`${endpoint} ${clock.nowMs()}`);
      const manner = manners[endpoint.charCodeAt(0) - 0x61];
      if (manner === "refuses") throw new Error(`${endpoint} refuses`);
      if (manner === "hangs") {
        await new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        });
      }
      const fake = new Fake(clock.nowMs());
      made.push(fake);
      return fake;
    },
  });
  return { clock, tried, made, channel, manners };
}

const endless = (): Patience => new Patience({});
const timesOf = (tried: readonly string[], endpoint: string): number[] =>
  tried.filter((one) => one.startsWith(endpoint)).map((one) => Number(one.slice(2)));

test("a server that refuses is tried again after waits that grow", async () => {
  const { clock, tried, channel, manners } = world("refuses");
  const waits = channel.connection(endless());
  await clock.advance(4000);
  const times = timesOf(tried, "a");
  const gaps = times.slice(1).map((time, at) => time - (times[at] as number));
  expect(gaps[0]).toBe(40);
  expect(gaps.length).toBeGreaterThan(6);
  for (const [at, gap] of gaps.slice(1).entries())
    expect(gap / (gaps[at] as number)).toBeCloseTo(1.6);
  manners[0] = "good";
  await clock.advance(3000);
  await waits;
});

test("servers are tried one after the other, at once if one refuses, after 250 ms if it hangs", async () => {
  const refusing = world("refuses", "refuses", "good");
  await refusing.channel.connection(endless());
  expect(refusing.tried).toEqual(["a 0", "b 0", "c 0"]);
  expect(refusing.made.length).toBe(1);

  const hanging = world("hangs", "hangs", "good");
  const waits = hanging.channel.connection(endless());
  await hanging.clock.advance(600);
  await waits;
  expect(hanging.tried).toEqual(["a 0", "b 250", "c 500"]);
  expect(hanging.clock.sleeping).toBe(0);
});

test("it stays with a connection, and takes another server when that is lost", async () => {
  const { clock, made, channel, tried } = world("good", "good");
  const first = await channel.connection(endless());
  expect(await channel.connection(endless())).toBe(first);
  await clock.advance(60_000);
  first.destroy();
  const second = await channel.connection(endless());
  expect(second).not.toBe(first);
  expect(made.length).toBe(2);
  expect(tried).toEqual(["a 0", "b 60000"]);
});

test("connections that are lost as soon as they are made do not come in a storm", async () => {
  const { clock, made, channel } = world("good");
  for (let at = 0; at < 200; at++) {
    const waits = channel.connection(endless());
    await clock.advance(10);
    const newest = made.at(-1);
    if (newest?.isUsable === true) {
      await waits;
      newest.destroy();
    }
  }
  expect(made.length).toBeGreaterThan(3);
  expect(made.length).toBeLessThan(10);
});

test("when nobody waits any more, nobody is tried any more", async () => {
  const { clock, tried, channel } = world("refuses");
  const patience = endless();
  const waits = Promise.resolve(channel.connection(patience));
  await clock.advance(200);
  patience.end(new Error("enough"));
  await expect(waits).rejects.toThrow("enough");
  const before = tried.length;
  await clock.advance(60_000);
  expect(tried.length).toBe(before);
  expect(clock.sleeping).toBe(0);
  void Promise.resolve(channel.connection(endless())).catch(() => undefined);
  await clock.advance(0);
  expect(tried.length).toBe(before + 1);
  channel.close(clientClosing());
});

test("a server that is left is not asked again while there is another one", async () => {
  const { channel, tried } = world("good", "good");
  const first = await channel.connection(endless());
  channel.leave(first);
  expect(first.isUsable).toBe(false);
  await channel.connection(endless());
  expect(tried.map((one) => one[0])).toEqual(["a", "b"]);
  const alone = world("good");
  const only = await alone.channel.connection(endless());
  alone.channel.leave(only);
  expect(await alone.channel.connection(endless())).toBe(only);
});

test("closing ends the wait, the attempts and the connections", async () => {
  const { channel, clock, made } = world("good", "hangs");
  await channel.connection(endless());
  channel.close(clientClosing());
  expect(made[0]?.isUsable).toBe(false);
  expect(() => channel.connection(endless())).toThrow("client connection is closing");
  const hanging = world("hangs", "refuses");
  const waits = Promise.resolve(hanging.channel.connection(endless()));
  await hanging.clock.advance(300);
  hanging.channel.close(clientClosing());
  await expect(waits).rejects.toThrow("client connection is closing");
  await clock.advance(0);
  expect(hanging.clock.sleeping).toBe(0);
});
