/** What a watch tells, in every form. */

import { RESPONSE_HEADER } from "../../proto/tables/header.ts";
import { encode } from "../../proto/tables/message-table.ts";
import { EVENT, type Event, WATCH_RESPONSE, type WatchResponse } from "../../proto/tables/watch.ts";
import { field, headerFields, keyValueFields } from "../print/fields.ts";
import { goJsonOf } from "../print/go-json.ts";
import { type PairForm, pairLines } from "../print/pairs.ts";
import type { Piece, Views } from "../print/print.ts";

export function watchViews(response: WatchResponse, form: PairForm): Views {
  return {
    simple: () => lines(response, form),
    fields: () => fields(response),
    json: () => json(response),
    protobuf: () => {
      const { header, events, compactRevision, canceled } = response;
      return encode(WATCH_RESPONSE, { header: header ?? {}, events, compactRevision, canceled });
    },
  };
}

/** `PUT`, `DELETE`; what nobody knows is its number. */
export function typeName({ type }: Event): string {
  return ["PUT", "DELETE"][type] ?? String(type);
}

const NO_PAIR = { key: new Uint8Array(), value: new Uint8Array() };

function* lines({ events }: WatchResponse, form: PairForm): Generator<Piece, void> {
  for (const event of events) {
    yield `${typeName(event)}\n`;
    if (event.prevKv !== undefined) yield* pairLines(event.prevKv, form);
    yield* pairLines(event.kv ?? NO_PAIR, form);
  }
}

function* fields({ header, events }: WatchResponse): Generator<Piece, void> {
  yield headerFields(header);
  for (const event of events) {
    yield field("Type", typeName(event));
    if (event.prevKv !== undefined) yield keyValueFields(event.prevKv, "Prev");
    if (event.kv !== undefined) yield keyValueFields(event.kv);
  }
}

/** etcd's client's own struct: all its members, in Go's names. A watch that never was has no list of events. */
function* json({ header, events, ...response }: WatchResponse): Generator<Piece, void> {
  yield `{"Header":${header === undefined ? "{}" : goJsonOf(RESPONSE_HEADER, header)},"Events":`;
  if (response.created) {
    yield "null";
  } else {
    let separator = "[";
    for (const event of events) {
      yield `${separator}${goJsonOf(EVENT, event)}`;
      separator = ",";
    }
    yield events.length === 0 ? "[]" : "]";
  }
  const { compactRevision, canceled } = response;
  yield `,"CompactRevision":${compactRevision},"Canceled":${canceled},"Created":false}\n`;
}
