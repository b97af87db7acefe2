/** The series of header blocks in RFC 7541, Appendix C: what each decodes to, and what is in the table after it. */
import { expect, test } from "vitest";
import { HpackDecoder } from "./decoder.ts";
import type { Entry } from "./entry.ts";

interface Block {
  readonly hex: string;
  readonly fields: string;
  /** Newest first. */
  readonly table: string;
  readonly tableBytes: number;
}

interface Series {
  readonly name: string;
  readonly tableBytesMax: number;
  readonly blocks: readonly Block[];
}

const DATE = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const LATER = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const PLACE = "location: https://www.example.com";
const COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

const requests = [
  {
    fields: ":method: GET|:scheme: http|:path: /|:authority: www.example.com",
    table: ":authority: www.example.com",
    tableBytes: 57,
  },
  {
    fields:
      ":method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache",
    table: "cache-control: no-cache|:authority: www.example.com",
    tableBytes: 110,
  },
  {
    fields:
      ":method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value",
    table: "custom-key: custom-value|cache-control: no-cache|:authority: www.example.com",
    tableBytes: 164,
  },
];

const responses = [
  {
    fields: `:status: 302|cache-control: private|${DATE}|${PLACE}`,
    table: `${PLACE}|${DATE}|cache-control: private|:status: 302`,
    tableBytes: 222,
  },
  {
    fields: `:status: 307|cache-control: private|${DATE}|${PLACE}`,
    table: `:status: 307|${PLACE}|${DATE}|cache-control: private`,
    tableBytes: 222,
  },
  {
    fields: `:status: 200|cache-control: private|${LATER}|${PLACE}|content-encoding: gzip|${COOKIE}`,
    table: `${COOKIE}|content-encoding: gzip|${LATER}`,
    tableBytes: 215,
  },
];

function series(
  name: string,
  tableBytesMax: number,
  expected: readonly Omit<Block, "hex">[],
  hex: readonly string[],
): Series {
  return {
    name,
    tableBytesMax,
    blocks: expected.map((block, i) => ({ ...block, hex: hex[i] ?? "" })),
  };
}

const all: readonly Series[] = [
  series(
    "C.2 single fields",
    4096,
    [
      {
        fields: "custom-key: custom-header",
        table: "custom-key: custom-header",
        tableBytes: 55,
      },
      { fields: ":path: /sample/path", table: "custom-key: custom-header", tableBytes: 55 },
      { fields: "password: secret", table: "custom-key: custom-header", tableBytes: 55 },
      { fields: ":method: GET", table: "custom-key: custom-header", tableBytes: 55 },
    ],
    [
      "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
      "040c2f73616d706c652f70617468",
      "100870617373776f726406736563726574",
      "82",
    ],
  ),
  series("C.3 requests", 4096, requests, [
    "828684410f7777772e6578616d706c652e636f6d",
    "828684be58086e6f2d6361636865",
    "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
  ]),
  series("C.4 requests in Huffman code", 4096, requests, [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff",
    "828684be5886a8eb10649cbf",
    "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
  ]),
  series("C.5 responses", 256, responses, [
    "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54" +
      "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
    "4803333037c1c0bf",
    "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d" +
      "4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20766572" +
      "73696f6e3d31",
  ]),
  series("C.6 responses in Huffman code", 256, responses, [
    "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97" +
      "c8e9ae82ae43d3",
    "4883640effc1c0bf",
    "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd" +
      "5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ]),
];

test.each(all)("$name", ({ tableBytesMax, blocks }) => {
  const decoder = new HpackDecoder(tableBytesMax);
  for (const { hex, fields, table, tableBytes } of blocks) {
    const found: string[] = [];
    const block = Buffer.from(hex, "hex");
    decoder.decode(block, 0, block.length, { field: (entry) => void found.push(shown(entry)) });
    expect(found).toEqual(fields.split("|"));
    const inTable = Array.from({ length: decoder.table.count }, (_, i) => decoder.table.at(i));
    expect(inTable.map((entry) => shown(entry as Entry))).toEqual(table.split("|"));
    expect(decoder.table.bytes).toBe(tableBytes);
    expect(decoder.table.at(decoder.table.count)).toBeUndefined();
  }
});

function shown({ name, value }: Entry): string {
  return `${name}: ${value}`;
}
