import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["{src,native-free,test,tools,bench}/**/*.test.ts"],
    env: { STRATA_VERIFY: "all" },
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
export default config;
