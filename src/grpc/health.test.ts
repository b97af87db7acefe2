import { expect, test } from "vitest";
import { frame, request } from "../../test/support/fake-stream.ts";
import { GrpcServer } from "./grpc-server.ts";
import { Health, HealthBook } from "./health.ts";

const PATH = "/grpc.health.v1.Health/";

function serve(): { readonly book: HealthBook; readonly server: GrpcServer } {
  const book = new HealthBook();
  return { book, server: new GrpcServer({ services: [book.service], maxReceiveBytes: 1000 }) };
}

/** HealthCheckRequest. */
function asking(service: string): Uint8Array {
  return frame(Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]));
}

test("the server as a whole is well, others are not known", () => {
  const { book, server } = serve();
  expect(request(server.onRequest, `${PATH}Check`, frame("")).stream.body).toBe(
    "\0\0\0\0\x02\x08\x01",
  );
  expect(request(server.onRequest, `${PATH}Check`, asking("a")).stream).toMatchObject({
    status: 5,
    message: "unknown service",
  });
  book.set("a", Health.notServing);
  expect(request(server.onRequest, `${PATH}Check`, asking("a")).stream.body.slice(-2)).toBe(
    "\x08\x02",
  );
  expect(request(server.onRequest, `${PATH}List`, frame("")).stream.body.slice(5)).toBe(
    "\x0a\x06\x0a\0\x12\x02\x08\x01\x0a\x07\x0a\x01a\x12\x02\x08\x02",
  );
});

test("what is no request is said to be none", () => {
  const { server } = serve();
  expect(request(server.onRequest, `${PATH}Check`, frame("\x0a\x05a")).stream).toMatchObject({
    status: 13,
    message: "grpc: failed to unmarshal the received message: field 1 has 5 bytes, 1 are left",
  });
});

test("watchers hear of changes, and only of changes", () => {
  const { book, server } = serve();
  const all = request(server.onRequest, `${PATH}Watch`, frame(""));
  const one = request(server.onRequest, `${PATH}Watch`, asking("a"));
  book.set("", Health.serving);
  book.set("a", Health.serving);
  one.listener.cancelled();
  book.set("a", Health.notServing);
  book.shutdown();
  book.set("", Health.serving);
  const said = (body: string): readonly number[] =>
    [...body].filter((_, at) => at % 7 === 6).map((digit) => digit.charCodeAt(0));
  expect(said(all.stream.body)).toEqual([1, 2]);
  expect(said(one.stream.body)).toEqual([3, 1]);
  expect(request(server.onRequest, `${PATH}Check`, frame("")).stream.body.slice(-2)).toBe(
    "\x08\x02",
  );
});
