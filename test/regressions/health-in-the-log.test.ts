/**
 * etcd 3.4 answers GET /health by a quorum read of its v2 API, and logs it: whoever has a health check has such an entry
 * every few seconds. A data dir with one in it was refused as corrupt.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { SystemDirectory } from "../../native-free/file.ts";
import { Strata } from "../../src/index.ts";
import { FieldWriter } from "../../src/proto/protobuf.ts";
import { openWal } from "../../src/wal/wal.ts";
import { goldenDataDir } from "../support/golden-data-dir.ts";

test("a log with a health check in it is opened", async () => {
  const dir = goldenDataDir("basic");
  const { wal } = openWal(new SystemDirectory(join(dir, "member/wal")));
  const { term, vote } = wal.hardState;
  const index = wal.lastIndex + 1;
  const data = new FieldWriter().bigint(1, 7n).message(2, Buffer.from("QGET")).bytes();
  await wal.append([{ type: 0, term, index, data }], { term, vote, commit: index });
  await wal.close();
  await using store = await Strata.open({ dir });
  expect((await store.get("a"))?.value).toHaveLength(1);
});
