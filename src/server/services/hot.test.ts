/** The hot services by a real client: one look at each kind of call. What they answer is tested without a wire. */
import { Client, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DecodedMessage } from "../../../test/support/decoded-message.ts";
import { type HotServer, serveHot } from "../../../test/support/hot-server.ts";
import { putRequest, rangeRequest } from "../../api/txn-builder.ts";
import { utf8 } from "../../base/bytes.ts";
import { Strata } from "../../engine/strata.ts";
import { encodePut, encodeRange } from "../../proto/kv-requests.ts";
import { written } from "../../proto/message-writer.ts";
import { ALL_FROM } from "../../proto/messages.ts";
import { encodeWatchRequest } from "../../proto/watch-messages.ts";

let store: Strata;
let server: HotServer;
let client: Client;

beforeEach(async () => {
  store = await Strata.open({ memory: true });
  server = await serveHot(store.member);
  client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
  });
});

afterEach(async () => {
  client.close();
  await server.close();
  await store.close();
});

const same = (bytes: Buffer): Buffer => bytes;

function unary(path: string, request: Uint8Array, deadlineMs?: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    client.makeUnaryRequest<Buffer, Buffer>(
      path,
      same,
      same,
      Buffer.from(request),
      options,
      (error: ServiceError | null, value?: Buffer) => {
        if (value === undefined) reject(error ?? new Error("no answer"));
        else resolve(value);
      },
    );
  });
}

function bidi(path: string): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest<Buffer, Buffer>(path, same, same);
}

const put = (key: string, value: Uint8Array): Promise<Buffer> =>
  unary("/etcdserverpb.KV/Put", encodePut(putRequest(key, value)));

function messages(stream: NodeJS.EventEmitter, count: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const seen: Buffer[] = [];
    stream.on("data", (message: Buffer) => {
      seen.push(message);
      if (seen.length === count) resolve(seen);
    });
    stream.on("error", reject);
  });
}

test("puts, a large range, an error", async () => {
  const value = Buffer.alloc(100_000, "v");
  await Promise.all(Array.from({ length: 60 }, (_, i) => put(`k${i}`, value)));
  const request = encodeRange({ ...rangeRequest("k"), rangeEnd: ALL_FROM });
  const found = new DecodedMessage(await unary("/etcdserverpb.KV/Range", request));
  expect(found.number(4)).toBe(60);
  expect(found.messages(2).every((pair) => pair.all(5)[0]?.equals(value))).toBe(true);
  await expect(unary("/etcdserverpb.KV/Put", new Uint8Array(0))).rejects.toMatchObject({
    code: 3,
    details: "etcdserver: key is not provided",
  });
});

test("a stream of a range larger than every window", async () => {
  const value = Buffer.alloc(200_000, "v");
  await Promise.all(Array.from({ length: 100 }, (_, i) => put(`k${100 + i}`, value)));
  const request = Buffer.from(encodeRange({ ...rangeRequest("k"), rangeEnd: ALL_FROM }));
  const path = "/etcdserverpb.KV/RangeStream";
  const stream = client.makeServerStreamRequest<Buffer, Buffer>(path, same, same, request);
  const keys: string[] = [];
  for await (const message of stream) {
    const page = new DecodedMessage(message as Buffer).message(1);
    keys.push(...page.messages(2).map((pair) => pair.text(1)));
  }
  expect(keys).toEqual(Array.from({ length: 100 }, (_, i) => `k${100 + i}`));
});

test("a watch sees what is put, and one whose client is gone is gone", async () => {
  const stream = bidi("/etcdserverpb.Watch/Watch");
  const seen = messages(stream, 501);
  stream.write(
    Buffer.from(
      encodeWatchRequest({
        kind: "create",
        key: utf8("k"),
        rangeEnd: new Uint8Array(0),
        startRevision: 0,
        progressNotify: false,
        noPut: false,
        noDelete: false,
        prevKv: false,
        watchId: 0n,
        fragment: false,
      }),
    ),
  );
  await new Promise((resolve) => stream.once("data", resolve));
  for (let i = 0; i < 500; i++) void put("k", Buffer.from(String(i)));
  const values = (await seen)
    .slice(1)
    .map((message) => new DecodedMessage(message).message(11).message(2).text(5));
  expect(values).toEqual(Array.from({ length: 500 }, (_, i) => String(i)));
  stream.on("error", () => undefined);
  stream.cancel();
  while (store.member.watches.watchers > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(server.grpc.streams).toBe(0);
});

test("a lease is kept alive, and its stream ends with the client", async () => {
  const { id } = await store.lease.grant(60);
  const stream = bidi("/etcdserverpb.Lease/LeaseKeepAlive");
  const seen = messages(stream, 3);
  const request = Buffer.from(written((to, value: bigint) => to.bigint(1, value), id));
  for (let i = 0; i < 3; i++) stream.write(request);
  for (const message of await seen) expect(new DecodedMessage(message).number(3)).toBe(60);
  stream.end();
  await new Promise((resolve) => stream.once("end", resolve));
  expect(server.grpc.streams).toBe(0);
});
