export * from "../../src/testing/power-supply.ts";
