/** The forms that follow from a message alone. */
import type { ResponseHeader } from "../../proto/tables/header.ts";
import { encode, type MessageTable, type Partially } from "../../proto/tables/message-table.ts";
import { headerFields } from "./fields.ts";
import { goJsonOf } from "./go-json.ts";
import type { Views } from "./print.ts";

/** As etcd prints a response: its JSON, its bytes. */
export function messageViews<M>(table: MessageTable<M>, message: M): Views {
  return {
    json: () => `${goJsonOf(table, message)}\n`,
    protobuf: () => encode(table, message as Partially<M>),
  };
}

/** The same, and as fields its header: a response that says no more than that it was done. */
export function headerViews<M extends { readonly header: ResponseHeader | undefined }>(
  table: MessageTable<M>,
  message: M,
): Views {
  return { ...messageViews(table, message), fields: () => headerFields(message.header) };
}
