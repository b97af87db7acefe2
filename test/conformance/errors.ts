/** etcd's refusals, written down once more, so that what is tested is not judged by itself. */
import { expect } from "vitest";
import { Refusal } from "./client.ts";

type Code = readonly [grpcCode: number, text: string];

export type RefusalName =
  | "emptyKey"
  | "keyNotFound"
  | "valueProvided"
  | "leaseProvided"
  | "tooManyOps"
  | "duplicateKey"
  | "sortOption"
  | "tooLarge"
  | "compacted"
  | "future"
  | "noSpace"
  | "leaseNotFound"
  | "leaseExists"
  | "ttlTooLarge"
  | "corrupt";

export const REFUSALS: Readonly<Record<RefusalName, Code>> = {
  emptyKey: [3, "etcdserver: key is not provided"],
  keyNotFound: [3, "etcdserver: key not found"],
  valueProvided: [3, "etcdserver: value is provided"],
  leaseProvided: [3, "etcdserver: lease is provided"],
  tooManyOps: [3, "etcdserver: too many operations in txn request"],
  duplicateKey: [3, "etcdserver: duplicate key given in txn request"],
  sortOption: [3, "etcdserver: invalid sort option"],
  tooLarge: [3, "etcdserver: request is too large"],
  compacted: [11, "etcdserver: mvcc: required revision has been compacted"],
  future: [11, "etcdserver: mvcc: required revision is a future revision"],
  noSpace: [8, "etcdserver: mvcc: database space exceeded"],
  leaseNotFound: [5, "etcdserver: requested lease not found"],
  leaseExists: [9, "etcdserver: lease already exists"],
  ttlTooLarge: [11, "etcdserver: too large lease TTL"],
  corrupt: [15, "etcdserver: corrupt cluster"],
};

export function refusal(name: RefusalName): Refusal {
  const [code, text] = REFUSALS[name];
  return new Refusal(code, text);
}

export async function expectRefusal(call: Promise<unknown>, name: RefusalName): Promise<void> {
  const outcome = await call.then(
    (answer) => ({ answered: answer }),
    (error: unknown) =>
      error instanceof Refusal ? [error.grpcCode, error.message] : { threw: String(error) },
  );
  expect(outcome).toEqual(REFUSALS[name]);
}
