/** Request headers as services see them. Those named `…-bin` hold bytes, in base64 with or without padding. */
import { quoted } from "../base/quote.ts";
import type { HeaderList } from "../http2/exchange.ts";

/** The first value. Of a `-bin` header: its bytes, one character each. @param name  in lower case */
export function metadataValue(fields: HeaderList, name: string): string | undefined {
  for (const field of fields) {
    if (field[0] === name) {
      return name.endsWith("-bin") ? Buffer.from(field[1], "base64").toString("latin1") : field[1];
    }
  }
  return undefined;
}

/** What is wrong with the value of a `-bin` header, as etcd says it; undefined: nothing. */
export function metadataFault(name: string, value: string): string | undefined {
  const at = base64Fault(value);
  if (at === undefined) return undefined;
  const shown = quoted(Buffer.from(value, "latin1"));
  return `malformed binary metadata ${shown} in header ${quoted(Buffer.from(name, "latin1"))}: illegal base64 data at input byte ${at}`;
}

/** Where a value stops being base64. Padded is what has a length that is a multiple of four, as in grpc-go. */
function base64Fault(value: string): number | undefined {
  const pattern = value.length % 4 === 0 ? /^[A-Za-z0-9+/]*={0,2}/ : /^[A-Za-z0-9+/]*/;
  const good = (pattern.exec(value)?.[0] ?? "").length;
  if (good < value.length) return good;
  return value.length % 4 === 1 ? value.length - 1 : undefined;
}
