import { expect, test } from "vitest";
import { jsonFields, jsonText } from "./json.ts";

test("integers keep their digits, bytes are base64, what has no value is left out", () => {
  const value = {
    id: 2681083982177880141n,
    key: Uint8Array.of(97),
    none: undefined,
    list: [1, "zwei", null, { deep: true }],
    'a "name"': "\n",
  };
  expect(jsonText(value)).toBe(
    '{"id":2681083982177880141,"key":"YQ==","list":[1,"zwei",null,{"deep":true}],"a \\"name\\"":"\\n"}',
  );
  expect(jsonFields({ none: undefined })).toBe("");
  expect(jsonText([])).toBe("[]");
});
