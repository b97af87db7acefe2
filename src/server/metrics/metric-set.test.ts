import { expect, test } from "vitest";
import { Histogram } from "../../base/histogram.ts";
import { goFloat, MetricSet } from "./metric-set.ts";

test("values are read when the text is made", async () => {
  const set = new MetricSet<{ readonly n: number }>();
  set.gauge("b_now", "Now.", ({ n }) => n);
  set.counter(
    "a_total",
    "By kind.",
    ({ n }) => [
      { labels: { kind: "x" }, value: n * 2 },
      { labels: { kind: 'a "b"\n' }, value: 0 },
    ],
    ["kind"],
  );
  expect(await set.text({ n: 1 })).toContain("\nb_now 1\n");
  expect(await set.text({ n: 2 })).toBe(`# HELP a_total By kind.
# TYPE a_total counter
a_total{kind="x"} 4
a_total{kind="a \\"b\\"\\n"} 0
# HELP b_now Now.
# TYPE b_now gauge
b_now 2
`);
});

test("a histogram's buckets are added up, and named as Go names them", async () => {
  const set = new MetricSet<Histogram>();
  set.histogram("took", "It took.", (histogram) => histogram);
  set.histogram("by_op", "By operation.", (histogram) => [{ labels: { op: "Put" }, histogram }], [
    "op",
  ]);
  const histogram = new Histogram([0.001, 2 ** 20]);
  for (const value of [0.0005, 0.001, 5, 2 ** 21]) histogram.observe(value);
  const text = await set.text(histogram);
  expect(text).toContain(`took_bucket{le="0.001"} 2
took_bucket{le="1.048576e+06"} 3
took_bucket{le="+Inf"} 4
took_sum 2097157.0015
took_count 4`);
  expect(text).toContain('by_op_bucket{op="Put",le="0.001"} 2');
  expect(text).toContain('by_op_count{op="Put"} 4');
});

test("others have their turn while the text is made", async () => {
  const set = new MetricSet<object>();
  let turns = 0;
  const turnsAtRead: number[] = [];
  for (let i = 0; i < 5; i++) {
    set.gauge(`slow_${i}`, "Takes long to read.", () => {
      turnsAtRead.push(turns);
      const endMs = performance.now() + 2;
      while (performance.now() < endMs);
      return i;
    });
  }
  let isOver = false;
  const others = (): void => {
    turns++;
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  await set.text({});
  isOver = true;
  for (let i = 1; i < 5; i++) expect(turnsAtRead[i]).toBeGreaterThan(turnsAtRead[i - 1] ?? 0);
});

test("numbers as Go writes them", () => {
  const texts: [number, string][] = [
    [0, "0"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [52.4288, "52.4288"],
    [524_288, "524288"],
    [1_048_576, "1.048576e+06"],
    [Number.POSITIVE_INFINITY, "Infinity"],
  ];
  for (const [value, text] of texts) expect(goFloat(value)).toBe(text);
});
