import { expect, test } from "vitest";
import { systemError } from "../../native-free/system-error.ts";
import { EtcdError, StrataError } from "../base/errors.ts";
import { ETCD_ERRORS, type EtcdErrorCode } from "../base/etcd-errors.ts";
import { GrpcError } from "../grpc/status.ts";
import { statusOf } from "./status-of.ts";

test("etcd's errors go out in etcd's words, two of them as Unknown", () => {
  const unlike: string[] = [];
  for (const [name, [code, message]] of Object.entries(ETCD_ERRORS)) {
    const status = statusOf(new EtcdError(name as EtcdErrorCode));
    expect(status.message).toBe(message);
    if (status.code !== code) unlike.push(`${name} ${status.code}`);
  }
  expect(unlike.sort()).toEqual(["MEMBER_NOT_ENOUGH_STARTED 2", "TOO_MANY_REQUESTS 2"]);
});

test("a store that is closed or broken is unavailable", () => {
  expect(statusOf(new StrataError("CLOSED", "the store is closed"))).toEqual({
    code: 14,
    message: "etcdserver: server stopped",
  });
  const failed = new StrataError("FAILED", "a write failed: EIO");
  expect(statusOf(failed)).toEqual({ code: 14, message: "etcdserver: a write failed: EIO" });
});

test("only what nobody expected is reported", () => {
  const seen: unknown[] = [];
  const status = (error: unknown): number => statusOf(error, (one) => seen.push(one)).code;
  expect(status(new GrpcError(12, "no"))).toBe(12);
  expect(status(new StrataError("BAD_ARGUMENT", "no"))).toBe(3);
  expect(status(AbortSignal.abort().reason)).toBe(1);
  // Of the disk that a defragmentation writes to.
  expect(statusOf(systemError("ENOSPC", "write", "member/snap/db.tmp.1"))).toEqual({
    code: 8,
    message: expect.stringContaining("ENOSPC"),
  });
  expect(seen).toEqual([]);
  const bug = new TypeError("x is undefined");
  expect(statusOf(bug, (one) => seen.push(one))).toEqual({ code: 2, message: "x is undefined" });
  expect(status("text")).toBe(2);
  expect(seen).toEqual([bug, "text"]);
});
