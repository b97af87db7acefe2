/** Whatever a peer sends: every call ends once, nothing is thrown, nothing is left behind. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeStream, frame, requestHead } from "../../test/support/fake-stream.ts";
import { GrpcServer } from "./grpc-server.ts";
import { HealthBook } from "./health.ts";
import { reflectionServices } from "./reflection.ts";
import type { Service } from "./service.ts";

let closed = 0;
const service: Service = {
  name: "s",
  methods: {
    U: {
      kind: "unary",
      handle: (call, bytes, start, end) => call.reply(bytes.subarray(start, end)),
    },
    S: {
      kind: "serverStream",
      handle: (call, bytes, start, end) => {
        call.send(bytes.subarray(start, end));
        call.end();
      },
    },
    B: {
      kind: "bidiStream",
      open: (call) => ({
        message: (bytes, start, end) => {
          if (end - start === 3) throw new Error("three");
          call.send(bytes.subarray(start, end));
        },
        halfClosed: () => call.end(),
        closed: () => closed++,
        drained: () => {},
      }),
    },
  },
};

const path = fc.oneof(
  fc.constantFrom(
    "/s/U",
    "/s/S",
    "/s/B",
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  ),
  fc.string({ unit: "binary-ascii", maxLength: 12 }).map((text) => `/${text}`),
);
const field = fc.tuple(
  fc.constantFrom("grpc-timeout", "grpc-encoding", "content-type", "x-bin", "te", "x"),
  fc.oneof(
    fc.constantFrom("10S", "0n", "identity", "gzip", "application/grpc+proto", "AAAA", ""),
    fc.string({ unit: "binary-ascii", maxLength: 12 }),
  ),
);
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes): Uint8Array => frame(bytes)),
  fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.nat(1)).map(([b, f]): Uint8Array => frame(b, f)),
);
const event = fc.oneof(
  { weight: 8, arbitrary: piece },
  { weight: 1, arbitrary: fc.constantFrom("drained" as const, "cancelled" as const) },
);

test("any requests, in any pieces, with any end", () => {
  const health = new HealthBook();
  const server = new GrpcServer({
    services: [service, health.service, ...reflectionServices([], () => [])],
    maxReceiveBytes: 2000,
    maxUnfinishedBytes: 4000,
  });
  let opened = 0;
  fc.assert(
    fc.property(
      path,
      fc.array(field, { maxLength: 4 }),
      fc.array(event, { maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      (at, fields, events, ends, room) => {
        const stream = new FakeStream();
        stream.room = room;
        const head = requestHead(at, fields);
        const listener = server.onRequest(stream, head);
        if (at === "/s/B" && !stream.closed) opened++;
        const before = closed;
        let over = stream.closed;
        for (const one of events) {
          if (over || stream.closed) break;
          if (typeof one !== "string") listener.data(one, 0, one.length);
          else {
            listener[one]();
            over = one === "cancelled";
          }
        }
        if (!over && !stream.closed && ends) listener.ended();
        if (!over && !stream.closed) listener.cancelled();
        expect(server.calls).toBe(0);
        expect(server.streams).toBe(0);
        expect(server.deadlines.size).toBe(0);
        expect(server.holds(stream.peer, 4000)).toBe(true);
        server.holds(stream.peer, -4000);
        expect(closed - before).toBeLessThanOrEqual(1);
        if (stream.closed) expect(stream.status).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 5000 },
  );
  expect(closed).toBe(opened);
  expect(opened).toBeGreaterThan(100);
});
