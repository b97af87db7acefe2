/**
 * The report as a browser sees it. Whether it loads at all is for every run; the rest is for the long one, which
 * `.ci/run` asks for, and leaves its screenshots in `artefacts/`, which git ignores:
 *
 *     STRATA_FULL=1 npx vitest run bench/report/browser.test.ts
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BENCH_RESULT, EVIL_RESULT } from "../../test/support/bench-result.ts";
import { Chromium } from "../../test/support/chromium.ts";
import { scratchFolder } from "../../test/support/cleanup.ts";
import { describeWithPeers } from "../../test/support/describe-with-peers.ts";
import { projectFolder } from "../../test/support/judge.ts";
import { writeReport } from "./report.ts";

const FULL = process.env.STRATA_FULL === "1";
const ARTEFACTS = join(projectFolder(), "artefacts");

/** In the page: charts, and how they are in the way of each other. */
const CHARTS = `[...document.querySelectorAll("svg.chart")].map((svg) => {
  const boxes = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim() !== "")
    .map((text) => ({ text: text.textContent, box: text.getBoundingClientRect() }));
  const whole = svg.getBoundingClientRect();
  const cut = boxes.filter(({ box }) => box.left < whole.left || box.right > whole.right ||
    box.top < whole.top || box.bottom > whole.bottom);
  // A pixel of the font's own space may be shared.
  const over = boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) =>
    a.box.left + 1 < b.box.right && b.box.left + 1 < a.box.right &&
    a.box.top + 2 < b.box.bottom && b.box.top + 2 < a.box.bottom).map((b) => a.text + " / " + b.text));
  return { width: whole.width, height: whole.height, texts: boxes.length, cut: cut.map(({ text }) => text), over };
})`;

interface ChartSeen {
  readonly width: number;
  readonly height: number;
  readonly texts: number;
  readonly cut: readonly string[];
  readonly over: readonly string[];
}

describeWithPeers("the report in a browser", ["chromium"], () => {
  const folder = scratchFolder("browser");
  let chromium: Chromium;
  let files: readonly string[];
  let page: string;

  beforeAll(async () => {
    [chromium, files] = await Promise.all([Chromium.start(), writeReport(BENCH_RESULT, folder)]);
    page = pathToFileURL(files[0] ?? "").href;
  });
  afterAll(() => chromium[Symbol.asyncDispose]());

  const background = (): Promise<string> =>
    chromium.evaluate<string>("getComputedStyle(document.body).backgroundColor");
  const keep = async (name: string): Promise<void> => {
    mkdirSync(ARTEFACTS, { recursive: true });
    writeFileSync(join(ARTEFACTS, name), await chromium.screenshot());
  };

  test("the page loads without an error, asks for nothing, and its charts can be read", async () => {
    await chromium.look({ width: 1200, scheme: "light" });
    const { requests, errors } = await chromium.visit(page);
    expect(errors).toEqual([]);
    expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([page]);
    const charts = await chromium.evaluate<ChartSeen[]>(CHARTS);
    expect(charts).toHaveLength(4);
    for (const { width, height, texts, cut, over } of charts) {
      expect(width).toBeGreaterThan(600);
      expect(height).toBeGreaterThan(200);
      expect(texts).toBeGreaterThan(10);
      expect({ cut, over }).toEqual({ cut: [], over: [] });
    }
    expect(await background()).toBe("rgb(255, 255, 255)");
    if (FULL) await keep("report-light.png");
  });

  if (!FULL) return;

  test("it is dark in the dark, but not on paper", async () => {
    await chromium.look({ width: 1200, scheme: "dark" });
    expect(await background()).toBe("rgb(13, 17, 23)");
    expect(
      await chromium.evaluate("getComputedStyle(document.querySelector('svg.chart text')).fill"),
    ).toBe("rgb(230, 237, 243)");
    await keep("report-dark.png");
    await chromium.look({ width: 1200, scheme: "dark", media: "print" });
    expect(await background()).toBe("rgb(255, 255, 255)");
  });

  test("it never scrolls sideways, from 400 pixels on", async () => {
    for (const width of [1200, 400]) {
      await chromium.look({ width, scheme: "light" });
      expect(await chromium.evaluate("document.documentElement.scrollWidth")).toBe(width);
    }
    await keep("report-narrow.png");
  });

  test("every chart is a picture by itself, dark in the dark", async () => {
    for (const scheme of ["light", "dark"] as const) {
      await chromium.look({ width: 830, scheme });
      for (const file of files.slice(1)) {
        const { requests, errors } = await chromium.visit(pathToFileURL(file).href);
        expect({ requests: requests.length, errors }).toEqual({ requests: 1, errors: [] });
        // A file that is not XML would be shown as its error.
        expect(await chromium.evaluate("document.documentElement.localName")).toBe("svg");
        expect(
          await chromium.evaluate("getComputedStyle(document.querySelector('rect')).fill"),
        ).toBe(scheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)");
        if (file.endsWith("ratios.svg")) await keep(`ratios-${scheme}.png`);
      }
    }
  });

  test("what a result says does nothing, in the page and in every chart", async () => {
    await chromium.look({ width: 1200, scheme: "light" });
    const evil = await writeReport(EVIL_RESULT, join(folder, "evil"));
    expect(evil).toHaveLength(3);
    for (const file of evil) {
      const { requests, errors } = await chromium.visit(pathToFileURL(file).href);
      // The page's icon, which is empty, may be asked for.
      expect(requests.filter((url) => !url.startsWith("data:"))).toHaveLength(1);
      expect(errors).toEqual([]);
      expect(await chromium.evaluate("document.querySelectorAll('img, parsererror').length")).toBe(
        0,
      );
    }
  });

  test("a page that does ask for something is seen", async () => {
    const slip = join(folder, "slip.html");
    writeFileSync(
      slip,
      '<img src="http://elsewhere.test/a.png"><script>throw new Error("slip")</script>',
    );
    const { requests, errors } = await chromium.visit(pathToFileURL(slip).href);
    expect(requests).toContain("http://elsewhere.test/a.png");
    expect(errors.join("\n")).toMatch(/slip/);
  });
});
