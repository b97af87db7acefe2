/** The answers of the key space, which come alone or as those of a transaction's operations. */
import type {
  DeleteRangeResponse,
  PutResponse,
  RangeResponse,
  ResponseOp,
  TxnResponse,
} from "../../proto/tables/kv.ts";
import {
  DELETE_RANGE_RESPONSE,
  PUT_RESPONSE,
  RANGE_RESPONSE,
  TXN_RESPONSE,
} from "../../proto/tables/kv.ts";
import { field, headerFields, keyValueFields } from "./fields.ts";
import { goJsonMembers, goJsonOf } from "./go-json.ts";
import { type PairForm, pairLines } from "./pairs.ts";
import type { Piece } from "./print.ts";

type Pieces = Generator<Piece, void>;

export function* putLines({ prevKv }: PutResponse, form: PairForm): Pieces {
  yield "OK\n";
  if (prevKv !== undefined) yield* pairLines(prevKv, form);
}

export function* putFields({ header, prevKv }: PutResponse): Pieces {
  yield headerFields(header);
  if (prevKv !== undefined) yield keyValueFields(prevKv, "Prev");
}

export function* rangeLines({ kvs }: RangeResponse, form: PairForm): Pieces {
  for (const kv of kvs) yield* pairLines(kv, form);
}

export function* rangeFields({ header, kvs, more, count }: RangeResponse): Pieces {
  yield headerFields(header);
  for (const kv of kvs) yield keyValueFields(kv);
  yield field("More", more);
  yield field("Count", count);
}

export function* deleteLines({ deleted, prevKvs }: DeleteRangeResponse, form: PairForm): Pieces {
  yield `${deleted}\n`;
  for (const kv of prevKvs) yield* pairLines(kv, form);
}

export function* deleteFields({ header, deleted, prevKvs }: DeleteRangeResponse): Pieces {
  yield headerFields(header);
  yield field("Deleted", deleted);
  for (const kv of prevKvs) yield keyValueFields(kv, "Prev");
}

export function* txnLines({ succeeded, responses }: TxnResponse, form: PairForm): Pieces {
  yield succeeded ? "SUCCESS\n" : "FAILURE\n";
  for (const { responseRange, responsePut, responseDeleteRange } of responses) {
    yield "\n";
    if (responsePut !== undefined) yield* putLines(responsePut, form);
    if (responseRange !== undefined) yield* rangeLines(responseRange, form);
    if (responseDeleteRange !== undefined) yield* deleteLines(responseDeleteRange, form);
  }
}

export function* txnFields({ header, succeeded, responses }: TxnResponse): Pieces {
  yield headerFields(header);
  yield field("Succeeded", succeeded);
  for (const { responseRange, responsePut, responseDeleteRange } of responses) {
    if (responsePut !== undefined) yield* putFields(responsePut);
    if (responseRange !== undefined) yield* rangeFields(responseRange);
    if (responseDeleteRange !== undefined) yield* deleteFields(responseDeleteRange);
  }
}

/** Go's names of a union's members are in its JSON. */
export function* txnJson(response: TxnResponse): Pieces {
  const plain = goJsonMembers(TXN_RESPONSE, { ...response, responses: [] });
  yield `{${plain.join(",")}`;
  let separator = `${plain.length === 0 ? "" : ","}"responses":[`;
  for (const one of response.responses) {
    yield `${separator}{"Response":${unionJson(one)}}`;
    separator = ",";
  }
  yield response.responses.length === 0 ? "}\n" : "]}\n";
}

function unionJson({ responseRange, responsePut, responseDeleteRange }: ResponseOp): string {
  if (responseRange !== undefined) {
    return `{"ResponseRange":${goJsonOf(RANGE_RESPONSE, responseRange)}}`;
  }
  if (responsePut !== undefined) return `{"ResponsePut":${goJsonOf(PUT_RESPONSE, responsePut)}}`;
  if (responseDeleteRange !== undefined) {
    return `{"ResponseDeleteRange":${goJsonOf(DELETE_RANGE_RESPONSE, responseDeleteRange)}}`;
  }
  return "null";
}
