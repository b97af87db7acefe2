/** gRPC requests as bytes, for load generators that know nothing of protobuf. */
import { encodePut, encodeRange } from "../../src/proto/kv-requests.ts";
import { keyOf, valuesOf } from "../store/workload.ts";

export const VALUE_BYTES = 256;
const NONE: Uint8Array = new Uint8Array(0);

/** Not compressed, length, message. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

export function putFrame(index: number, valueBytes: number = VALUE_BYTES): Buffer {
  const key = Buffer.from(keyOf(index));
  const value = valuesOf(valueBytes)(index);
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  return framed(encodePut({ kind: "put", key, value, ...flags }));
}

export function getFrame(index: number, serializable = false): Buffer {
  const all = {
    limit: 0,
    revision: 0,
    sortOrder: 0,
    sortTarget: 0,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
  const key = Buffer.from(keyOf(index));
  return framed(encodeRange({ kind: "range", key, rangeEnd: NONE, serializable, ...all }));
}
