import { expect, test } from "vitest";
import { FakeTransport } from "../../../test/support/fake-transport.ts";
import { EtcdError } from "../../base/errors.ts";
import { KV_METHODS, type TxnRequest } from "../../proto/tables/kv.ts";
import { Rpc } from "../rpc.ts";
import { RpcError } from "../status.ts";
import { MirrorWriter, type Write } from "./writer.ts";

const put = (key: string, value = "v"): Write => ({
  key: Buffer.from(key),
  value: Buffer.from(value),
});
const drop = (key: string): Write => ({ key: Buffer.from(key), value: undefined });

/** What each transaction wrote: `+key` and `-key`. */
async function written(
  groups: readonly (readonly Write[])[],
  {
    maxTxnOps = 128,
    takes = Number.POSITIVE_INFINITY,
    error = new EtcdError("TOO_MANY_OPS") as Error,
  } = {},
): Promise<string[]> {
  const transactions: string[] = [];
  const transport = new FakeTransport().on(KV_METHODS.txn, ({ success }: TxnRequest) => {
    if (success.length > takes) return error;
    const shown = success.map(({ requestPut, requestDeleteRange }) =>
      requestPut === undefined
        ? `-${Buffer.from(requestDeleteRange?.key ?? "")}`
        : `+${Buffer.from(requestPut.key)}`,
    );
    transactions.push(shown.join(" "));
    return {};
  });
  const signal = new AbortController().signal;
  await new MirrorWriter(new Rpc(transport), maxTxnOps, signal).write(groups);
  return transactions;
}

test("what came together is written together, but no key twice", async () => {
  const groups = [[put("a")], [put("b"), drop("c")], [drop("a")], [put("a"), put("d")]];
  expect(await written(groups)).toEqual(["+a +b -c", "-a", "+a +d"]);
});

test("a group is taken apart only if it is too large by itself", async () => {
  const groups = [
    [put("a"), put("b")],
    [put("c"), put("d")],
    [1, 2, 3, 4].map((n) => put(`e${n}`)),
  ];
  expect(await written(groups, { maxTxnOps: 3 })).toEqual(["+a +b", "+c +d", "+e1 +e2 +e3", "+e4"]);
  expect(await written(groups, { maxTxnOps: 0 })).toEqual(["+a +b +c +d +e1 +e2 +e3 +e4"]);
});

test("large values are not put into one transaction", async () => {
  const large = "x".repeat(600_000);
  const groups = [[put("a", large)], [put("b", large)], [put("c")]];
  expect(await written(groups)).toEqual(["+a", "+b +c"]);
});

test.each([
  [new EtcdError("TOO_MANY_OPS")],
  [new EtcdError("REQUEST_TOO_LARGE")],
  [new RpcError(8, "trying to send message larger than max")],
])("a server that takes less gets less: %s", async (error) => {
  const groups = [["a", "b", "c", "d", "e"].map((key) => put(key))];
  expect(await written(groups, { takes: 2, error })).toEqual(["+a +b", "+c", "+d +e"]);
  await expect(written([[put("a")]], { takes: 0, error })).rejects.toThrow(error);
});

test("another refusal is one", async () => {
  const error = new EtcdError("NO_SPACE");
  const groups = [[put("a"), put("b")]];
  await expect(written(groups, { takes: 1, error })).rejects.toThrow(error);
});
