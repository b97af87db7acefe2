export * from "../../src/testing/error-disk.ts";
