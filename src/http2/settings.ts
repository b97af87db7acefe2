/** What each side tells the other of itself. @see RFC 9113, 6.5 */
import { ErrorCode } from "./error-code.ts";
import {
  FRAME_BYTES_DEFAULT,
  FRAME_BYTES_MAX,
  int32At,
  SETTING_BYTES,
  Setting,
  WINDOW_BYTES_MAX,
  writeInt32,
} from "./frame.ts";
import type { Http2Options } from "./limits.ts";

/** What a peer assumes that was told nothing. */
const HEADER_TABLE_BYTES_DEFAULT = 4096;
const NO_STREAM_LIMIT: number = 2 ** 32 - 1;

/** The payload of our SETTINGS. */
export function ourSettings(options: Http2Options): Buffer {
  const { maxConcurrentStreams, streamWindowBytes, maxHeaderListBytes, headerTableBytes } = options;
  const settings: [id: number, value: number][] = [
    [Setting.initialWindowSize, streamWindowBytes],
    [Setting.maxHeaderListSize, maxHeaderListBytes],
  ];
  if (maxConcurrentStreams < NO_STREAM_LIMIT) {
    settings.push([Setting.maxConcurrentStreams, maxConcurrentStreams]);
  }
  if (headerTableBytes !== HEADER_TABLE_BYTES_DEFAULT) {
    settings.push([Setting.headerTableSize, headerTableBytes]);
  }
  const payload = Buffer.alloc(settings.length * SETTING_BYTES);
  for (const [i, [id, value]] of settings.entries()) {
    payload[i * SETTING_BYTES + 1] = id;
    writeInt32(payload, i * SETTING_BYTES + 2, value);
  }
  return payload;
}

/** Of a peer's SETTINGS what matters to a server. Undefined: it is not said. */
export interface PeerSettings {
  /** The smallest that is said: our encoder follows downwards only. */
  readonly headerTableBytes: number | undefined;
  readonly initialWindowBytes: number | undefined;
}

/** @returns what it says in the end, or what is wrong with it */
export function readSettings(bytes: Buffer, start: number, end: number): PeerSettings | ErrorCode {
  if ((end - start) % SETTING_BYTES !== 0) return ErrorCode.frameSizeError;
  let headerTableBytes: number | undefined;
  let initialWindowBytes: number | undefined;
  for (let at = start; at < end; at += SETTING_BYTES) {
    const id = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const value = int32At(bytes, at + 2) >>> 0;
    switch (id) {
      case Setting.headerTableSize:
        headerTableBytes = Math.min(headerTableBytes ?? value, value);
        break;
      case Setting.enablePush:
        if (value > 1) return ErrorCode.protocolError;
        break;
      case Setting.initialWindowSize:
        if (value > WINDOW_BYTES_MAX) return ErrorCode.flowControlError;
        initialWindowBytes = value;
        break;
      case Setting.maxFrameSize:
        // Ours are as short as every peer takes them: longer ones would only keep streams from taking turns.
        if (value < FRAME_BYTES_DEFAULT || value > FRAME_BYTES_MAX) return ErrorCode.protocolError;
        break;
    }
  }
  return { headerTableBytes, initialWindowBytes };
}
