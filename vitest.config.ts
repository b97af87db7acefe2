import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["{src,native-free,test,tools,bench}/**/*.test.ts"],
    env: { STRATA_VERIFY: "all" },
    pool: "forks",
    // Most files wait for a disk or a process half of the time.
    maxWorkers: 2,
    // Of tests that say of themselves that they wait.
    maxConcurrency: 8,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
export default config;
