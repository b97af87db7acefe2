export * from "../../src/testing/volatile-inode.ts";
