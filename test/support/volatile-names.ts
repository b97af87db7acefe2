export * from "../../src/testing/volatile-names.ts";
