import { expect, test } from "vitest";
import { tableOf } from "./table.ts";

test("one row, as etcdctl 3.4.23 printed it", () => {
  const table = tableOf(
    ["hash", "revision", "total keys", "total size"],
    [["c4e040f5", "8", "11", "20 kB"]],
  );
  expect(table).toBe(
    "+----------+----------+------------+------------+\n" +
      "|   HASH   | REVISION | TOTAL KEYS | TOTAL SIZE |\n" +
      "+----------+----------+------------+------------+\n" +
      "| c4e040f5 |        8 |         11 |      20 kB |\n" +
      "+----------+----------+------------+------------+\n",
  );
});

test("the odd space of a centred header goes to the right", () => {
  expect(tableOf(["hash"], [["6985134"]]).split("\n")[1]).toBe("|  HASH   |");
});

test("rows have no rule between them, and empty cells stay", () => {
  const table = tableOf(
    ["id", "errors"],
    [
      ["1", ""],
      ["22", "full"],
      ["3", ""],
    ],
  );
  expect(table).toBe(
    "+----+--------+\n" +
      "| ID | ERRORS |\n" +
      "+----+--------+\n" +
      "|  1 |        |\n" +
      "| 22 |   full |\n" +
      "|  3 |        |\n" +
      "+----+--------+\n",
  );
});

test("without rows there is the header's box alone", () => {
  expect(tableOf(["id"], [])).toBe("+----+\n| ID |\n+----+\n");
});

test("a long cell is broken at spaces, and its column is 30 wide at least, as etcdctl 3.4.23 printed it", () => {
  const table = tableOf(
    ["errors", "hash_revision"],
    [
      ["memberID:9829954754940738069 alarm:NOSPACE ", "1"],
      ["", "2"],
    ],
  );
  expect(table).toBe(
    "+--------------------------------+---------------+\n" +
      "|             ERRORS             | HASH REVISION |\n" +
      "+--------------------------------+---------------+\n" +
      "|   memberID:9829954754940738069 |             1 |\n" +
      "|                 alarm:NOSPACE  |               |\n" +
      "|                                |             2 |\n" +
      "+--------------------------------+---------------+\n",
  );
});

test("a word that is too long sets the width of its cell", () => {
  const url = "http://a-host-of-many-letters.example.com:2379";
  expect(
    tableOf(["x"], [[`see ${url} for more`]])
      .split("\n")
      .slice(3, 6),
  ).toEqual([
    `| ${"see".padStart(url.length)} |`,
    `| ${url} |`,
    `| ${"for more".padStart(url.length)} |`,
  ]);
});
