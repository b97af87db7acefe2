export * from "../../src/testing/power-cut-disk.ts";
