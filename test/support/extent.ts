export * from "../../src/testing/extent.ts";
