/** Cluster, Maintenance, Lock and reflection over the wire: for a real gRPC client, and for the real etcdctl. */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { Strata } from "../../src/engine/strata.ts";
import { GrpcServer } from "../../src/grpc/grpc-server.ts";
import { serveHttp2 } from "../../src/http2/server-connection.ts";
import * as pb from "../../src/proto/gen/etcd/api/etcdserverpb/rpc_pb.ts";
import * as lock from "../../src/proto/gen/etcd/server/v3lockpb/v3lock_pb.ts";
import { kvService } from "../../src/server/services/kv.ts";
import { lazyReflection } from "../../src/server/services/lazy-reflection.ts";
import { longTailServices } from "../../src/server/services/long-tail.ts";
import { ServiceContext } from "../../src/server/services/service-context.ts";
import { statusOf } from "../../src/server/status-of.ts";
import { scratchFolder } from "../support/cleanup.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { etcdctl } from "../support/real-etcd.ts";

/** A member on a port, with nothing around it. */
class Port implements AsyncDisposable {
  readonly store: Strata;
  readonly address: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #client: Client;

  private constructor(store: Strata, server: Server, sockets: Set<Socket>) {
    this.store = store;
    this.#server = server;
    this.#sockets = sockets;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.#client = new Client(this.address, credentials.createInsecure());
  }

  static async open(): Promise<Port> {
    const store = await Strata.open({ dir: join(scratchFolder("long-tail"), "data") });
    const context = new ServiceContext(store.member);
    const services = [kvService(context), ...longTailServices(context)];
    const grpc = new GrpcServer({
      services: [...services, ...lazyReflection(services)],
      maxReceiveBytes: 2 * 1024 * 1024,
      statusOf,
    });
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      serveHttp2(socket, new Uint8Array(0), {}, grpc.onRequest);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Port(store, server, sockets);
  }

  call<I extends DescMessage, O extends DescMessage>(
    path: string,
    input: I,
    output: O,
    init: MessageInitShape<I>,
    deadlineMs?: number,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes) => bytes,
        toBinary(input, create(input, init)),
        new Metadata(),
        deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
        (error: ServiceError | null, bytes?: Buffer) => {
          if (error !== null || bytes === undefined) reject(error);
          else resolve(fromBinary(output, bytes));
        },
      );
    });
  }

  stream(path: string): ClientReadableStream<Buffer> {
    const pass = (bytes: Buffer): Buffer => bytes;
    return this.#client.makeServerStreamRequest(path, pass, pass, Buffer.alloc(0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.store.close();
  }
}

test("a gRPC client lists members, and is told why it may not change them", async () => {
  await using port = await Port.open();
  const { members } = await port.call(
    "/etcdserverpb.Cluster/MemberList",
    pb.MemberListRequestSchema,
    pb.MemberListResponseSchema,
    {},
  );
  expect(members.map(({ name }) => name)).toEqual(["default"]);
  const added = port.call(
    "/etcdserverpb.Cluster/MemberAdd",
    pb.MemberAddRequestSchema,
    pb.MemberAddResponseSchema,
    { peerURLs: ["nonsense"] },
  );
  await expect(added).rejects.toMatchObject({
    code: 3,
    details: "etcdserver: given member URLs are invalid",
  });
});

test("a snapshot is taken by a client that pauses, while the store is written and defragmented", async () => {
  await using port = await Port.open();
  const { store } = port;
  for (let i = 0; i < 60; i++) await store.put(`k${i}`, "x".repeat(100_000));
  const stream = port.stream("/etcdserverpb.Maintenance/Snapshot");
  let bytes = 0;
  let last = -1n;
  let defragmented: Promise<unknown> | undefined;
  for await (const message of stream) {
    const { blob, remainingBytes } = fromBinary(pb.SnapshotResponseSchema, message as Buffer);
    bytes += blob.length;
    last = remainingBytes;
    if (defragmented !== undefined) continue;
    await new Promise((resolve) => setTimeout(resolve, 100));
    await store.put("k0", "y");
    defragmented = store.member.maintenance.defragment();
  }
  await defragmented;
  expect(last).toBe(0n);
  expect(bytes).toBeGreaterThan(6_000_000);
  expect(bytes % 512).toBe(32);
  expect((await store.get("k0"))?.value.string()).toBe("y");
});

test("who waits for a lock until his deadline leaves the queue", async () => {
  await using port = await Port.open();
  const take = (lease: bigint, deadlineMs?: number): Promise<lock.LockResponse> =>
    port.call(
      "/v3lockpb.Lock/Lock",
      lock.LockRequestSchema,
      lock.LockResponseSchema,
      { name: Buffer.from("lk"), lease },
      deadlineMs,
    );
  for (const id of [1n, 2n]) await port.store.lease.grant(60, { id });
  await take(1n);
  await expect(take(2n, 100)).rejects.toMatchObject({ code: 4 });
  while ((await port.store.count({ prefix: "lk/" })) > 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(await port.store.get("lk/1")).toBeDefined();
});

describeWithPeers("the real etcdctl", ["etcdctl"], () => {
  test("maintains a member of ours", async () => {
    await using port = await Port.open();
    const ctl = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await etcdctl("--endpoints", port.address, ...args);
      expect([code, args, stderr.replace(/^\{.*\}\n/gm, "")]).toEqual([0, args, ""]);
      return stdout;
    };
    expect(await ctl("put", "foo", "bar")).toBe("OK\n");
    const add = await ctl("member", "add", "l", "--learner", "--peer-urls=http://127.0.0.1:1");
    const [, learner = ""] = /^Member ([0-9a-f]+) added/.exec(add) ?? [];
    expect(await ctl("member", "list")).toContain(
      `${learner}, unstarted, , http://127.0.0.1:1, , true`,
    );
    expect(await ctl("member", "remove", learner)).toContain("removed from cluster");
    expect(await ctl("defrag")).toContain("Finished defragmenting");
    expect(await ctl("endpoint", "status")).toContain(", 3.5.");
    expect(await ctl("endpoint", "hashkv")).toMatch(/, \d+\n$/);
    expect(await ctl("alarm", "list")).toBe("");
    const file = join(scratchFolder("long-tail"), "s.db");
    await ctl("snapshot", "save", file);
    expect(await ctl("snapshot", "status", file)).toMatch(/^[0-9a-f]+, 2, /);
    expect(await ctl("auth", "disable")).toBe("Authentication Disabled\n");
  });
});
