export * from "../../src/testing/rng.ts";
