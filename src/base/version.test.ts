import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PRODUCT_VERSION } from "./version.ts";

test("the version is the package's", () => {
  const file = join(import.meta.dirname, "../../package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  expect(PRODUCT_VERSION).toBe(version);
});
