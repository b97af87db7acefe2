/**
 * A real etcd's data directory, its page file rewritten by strata: rows deleted and put again over many transactions,
 * so that pages split, merge and move. The content is the same in the end, and etcd must not notice.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemFile } from "../../native-free/file.ts";
import type { Bucket } from "../../src/pagefile/bucket.ts";
import { PageFile } from "../../src/pagefile/page-file.ts";
import { describeWithPeers } from "../support/describe-with-peers.ts";
import { judgeCheck } from "../support/judge.ts";
import { contentOf, difference } from "../support/page-file-content.ts";
import { loadEtcd, RealEtcd } from "../support/real-etcd.ts";
import { type Rng, rng } from "../support/rng.ts";

const full = process.env.STRATA_FULL === "1";
const keys = full ? 20_000 : 2000;
const rounds = full ? 60 : 15;
const seed = Number(process.env.STRATA_SEEDS?.split(",")[0] ?? 1);

interface Answers {
  readonly hashes: readonly unknown[];
  readonly range: unknown;
  readonly count: unknown;
}

/** All that a client can ask: every key with its revisions, and etcd's own hash of the history at some revisions. */
async function answersOf(etcd: RealEtcd, revisions: readonly number[]): Promise<Answers> {
  const hashes: unknown[] = [];
  for (const revision of revisions) {
    const { stdout, stderr } = await etcd.etcdctl(
      "endpoint",
      "hashkv",
      `--rev=${revision}`,
      "-w",
      "json",
    );
    expect(stderr).toBe("");
    const [{ HashKV }] = JSON.parse(stdout) as [
      { HashKV: { hash: number; compact_revision: number } },
    ];
    hashes.push([revision, HashKV.hash, HashKV.compact_revision]);
  }
  const everything = { key: "AA==", range_end: "AA==" };
  const { kvs } = (await etcd.call("/v3/kv/range", everything)) as { kvs: unknown };
  const { count } = (await etcd.call("/v3/kv/range", { ...everything, count_only: true })) as {
    count: unknown;
  };
  return { hashes, range: kvs, count };
}

type Row = readonly [key: Uint8Array, value: Uint8Array];

function rowsOf(bucket: Bucket): Row[] {
  const rows: Row[] = [];
  const cursor = bucket.cursor();
  for (let more = cursor.first(); more; more = cursor.next()) {
    rows.push([cursor.key().slice(), (cursor.value() ?? new Uint8Array(0)).slice()]);
  }
  return rows;
}

/** Takes rows out in one transaction and puts them back in others, in another order and at another fill. */
function rewrite(file: PageFile, random: Rng): void {
  const name = Buffer.from("key");
  const of = (tx: { bucket(name: Uint8Array): Bucket | undefined }): Bucket => {
    const bucket = tx.bucket(name);
    if (bucket === undefined) throw new Error("no bucket key");
    return bucket;
  };
  const rows = file.view((tx) => rowsOf(of(tx)));
  for (let round = 0; round < rounds; round++) {
    const from = random.int(rows.length);
    const run = rows.slice(from, from + random.pick([1, 40, 700, rows.length]));
    const out = random.bool() ? run : random.shuffle(rows).slice(0, run.length);
    file.update((tx) => {
      for (const [key] of out) expect(of(tx).delete(key)).toBe(true);
    });
    const back = random.bool() ? out : random.shuffle(out);
    for (let at = 0; at < back.length; at += 300) {
      file.update((tx) => {
        const bucket = of(tx);
        bucket.fillPercent = random.pick([0.3, 0.5, 0.9]);
        for (const [key, value] of back.slice(at, at + 300)) bucket.put(key, value);
      });
    }
  }
}

describeWithPeers("a real etcd's page file", ["etcd", "etcdctl", "go-bbolt"], () => {
  test("rewritten by strata is served as before", { timeout: 300_000 }, async () => {
    const first = await RealEtcd.start();
    await loadEtcd(first, {
      count: keys,
      key: (i) => `/registry/things/${i % (keys / 2)}`,
      value: (i) => `${i}-`.repeat(1 + (i % 120)),
    });
    await first.call("/v3/kv/deleterange", {
      key: btoa("/registry/things/1"),
      range_end: btoa("/registry/things/2"),
    });
    await first.call("/v3/lease/grant", { ID: 7, TTL: 7200 });
    await first.call("/v3/kv/put", { key: btoa("leased"), value: btoa("v"), lease: 7 });
    const { header } = (await first.call("/v3/kv/put", { key: btoa("last") })) as {
      header: { revision: string };
    };
    const last = Number(header.revision);
    const revisions = [last, last - 1, last - 5, 5];
    const before = await answersOf(first, revisions);
    await first.stop();

    const path = join(first.dataDir, "member/snap/db");
    const file = PageFile.open(new SystemFile(path, "write"));
    const content = file.view(contentOf);
    rewrite(file, rng(seed));
    expect(file.view((tx) => difference(contentOf(tx), content))).toBeUndefined();
    expect(file.check().faults).toEqual([]);
    file.close();
    expect(judgeCheck(path)).toEqual({ ok: true, errors: [] });

    await using again = await RealEtcd.start({ dataDir: first.dataDir });
    expect(await answersOf(again, revisions)).toEqual(before);
    await again.call("/v3/kv/put", { key: btoa("more"), value: btoa("after") });
    await again.stop();
    expect(judgeCheck(path)).toEqual({ ok: true, errors: [] });
    const third = PageFile.open(new SystemFile(path, "write"));
    expect(third.check().faults).toEqual([]);
    third.close();
  });
});
