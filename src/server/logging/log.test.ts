import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { consoleLine } from "./console-line.ts";
import { Log, type LogOptions } from "./log.ts";
import { Sampler } from "./sampler.ts";

async function logged(options: Partial<LogOptions>, say: (log: Log) => void): Promise<string> {
  const path = join(scratchFolder("log"), "etcd.log");
  for (let run = 0; run < 2; run++) {
    const log = new Log({ outputs: [path], level: "info", format: "json", ...options });
    say(log);
    await log.flushed();
  }
  const text = readFileSync(path, "utf8");
  const half = text.length / 2;
  expect(text.slice(half).replace(/\d/g, "0")).toBe(text.slice(0, half).replace(/\d/g, "0"));
  return text.slice(0, half);
}

test("a line is zap's: level, time, caller, message, then what it is about", async () => {
  const text = await logged({}, (log) => {
    const from = log.from("server/x");
    from.info("ready", { address: "127.0.0.1:1", count: 3, on: true, urls: ["a", "b"] });
    from.debug("not this");
    from.from("server/y").error('quotes " and\nlines');
  });
  const [first = "", second = "", end] = text.split("\n");
  expect(first).toMatch(
    /^\{"level":"info","ts":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","caller":"server\/x","msg":"ready","address":"127.0.0.1:1","count":3,"on":true,"urls":\["a","b"\]\}$/,
  );
  expect(JSON.parse(second)).toMatchObject({
    level: "error",
    caller: "server/y",
    msg: 'quotes " and\nlines',
  });
  expect(end).toBe("");
});

test("the console's form has tabs", async () => {
  const text = await logged({ format: "console" }, (log) => {
    log.from("server/x").warn("careful", { why: "x y" });
    log.from("server/x").info("plain");
  });
  expect(text).toMatch(
    /^\S+Z\twarn\tserver\/x\tcareful\t\{"why":"x y"\}\n\S+Z\tinfo\tserver\/x\tplain\n$/,
  );
  expect(consoleLine('{"level":"info","ts":"t","caller":"c","msg":"m"}')).toBe("t\tinfo\tc\tm\n");
});

test("the level", async () => {
  const say = (log: Log): void => {
    const from = log.from("x");
    from.debug("d");
    from.warn("w");
    from.fatal("f");
  };
  const levels = (text: string): unknown[] =>
    text
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { level: unknown }).level);
  expect(levels(await logged({ level: "debug" }, say))).toEqual(["debug", "warn", "fatal"]);
  expect(levels(await logged({ level: "fatal" }, say))).toEqual(["fatal"]);
});

test("a file that cannot be opened is the system's error", () => {
  const outputs = ["/nonexistent/etcd.log"];
  expect(() => new Log({ outputs, level: "info", format: "json" })).toThrow("ENOENT");
});

test("what is said over and over is said less", () => {
  const sampler = new Sampler();
  let said = 0;
  for (let i = 0; i < 1000; i++) if (sampler.lets("again", 5000)) said++;
  expect(said).toBe(100 + 9);
  expect(sampler.lets("other", 5000)).toBe(true);
  expect(sampler.lets("again", 5999)).toBe(false);
  expect(sampler.lets("again", 6000)).toBe(true);
});
