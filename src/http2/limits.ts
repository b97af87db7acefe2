/** What one connection may ask of the process, each with its reason. */

/** Every one may be left out: `DEFAULT_HTTP2_OPTIONS` says what then. Bytes, milliseconds, counts. */
export interface Http2Options {
  /** Streams that a peer may have open at a time, as it is told. */
  readonly maxConcurrentStreams: number;
  /** The same, untold: over it they are refused, which a client may answer by trying again. */
  readonly maxOpenStreams: number;
  /** Of the body of a request, not yet seen by its listener. */
  readonly streamWindowBytes: number;
  /** The same for all streams of a connection together. */
  readonly connectionWindowBytes: number;
  /** Of a request's head, decoded, with 32 for each field: SETTINGS_MAX_HEADER_LIST_SIZE. */
  readonly maxHeaderListBytes: number;
  /** Of a request's head as it is on the wire, all its frames together. */
  readonly maxHeaderBlockBytes: number;
  /** In one header block. */
  readonly maxContinuations: number;
  /** SETTINGS_HEADER_TABLE_SIZE. */
  readonly headerTableBytes: number;
  /** Of responses, in all streams of a connection: over it, new streams are refused until the peer has read. */
  readonly maxBufferedBytes: number;
  /** Over this, streams with a response that would have to wait are reset. */
  readonly maxBufferedBytesHard: number;
  /**
   * Of requests, in all streams of a connection on which nothing was said since: over it, the stream that sends more is
   * reset.
   */
  readonly maxUnansweredBytes: number;
  /** How long a connection may be over `maxBufferedBytes`, or leave a full socket unread, with no byte moving. */
  readonly stallTimeoutMs: number;
  /** Until the peer has sent its preface and its first SETTINGS; and for a header block, from its first frame to its last. */
  readonly prefaceTimeoutMs: number;
  /** Streams that the peer may reset, or have refused, beyond those that were answered, at once; and per second. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
  /** Frames that are of no use (empty, unknown, acknowledgements asked for) beyond those that are, at once; and per second. */
  readonly idleFrameBurst: number;
  readonly idleFramesPerSecond: number;
  /** Pings of the peer closer together than this are strikes, after two of which it is told to go. 0: none are. */
  readonly keepaliveMinTimeMs: number;
  /** Pings may come as often while no stream is open; otherwise every two hours. */
  readonly keepaliveWithoutStream: boolean;
  /** A peer that was silent for this long is pinged. 0: never. */
  readonly keepaliveIntervalMs: number;
  /** How long it may stay silent then. */
  readonly keepaliveTimeoutMs: number;
  /** Between two looks at what has timed out: that much later than said above it may happen. */
  readonly tickMs: number;
}

export const DEFAULT_HTTP2_OPTIONS: Http2Options = {
  // etcd's default. It is not announced: the protocol knows no more streams than these anyway.
  maxConcurrentStreams: 2 ** 32 - 1,
  // A stream with its call is a kilobyte, about. Ten thousand watches on streams of their own are many for a client.
  maxOpenStreams: 2 ** 17,
  // A request of etcd's default size (1.5 MiB) asks for more once; most fit without a word.
  streamWindowBytes: 2 ** 20,
  // Sixteen streams at full window: no upload waits for another, and 10 Gbit/s over 10 ms fit.
  connectionWindowBytes: 2 ** 24,
  // Tokens are a kilobyte or two. gRPC in Go would take 16 MiB, which is a bomb and not a header.
  maxHeaderListBytes: 65_536,
  // Compressed it is hardly larger than what it says.
  maxHeaderBlockBytes: 65_536,
  // Four full frames hold the largest block; twice as many are patience enough.
  maxContinuations: 8,
  // The protocol's own default.
  headerTableBytes: 4096,
  // Responses of a megabyte to sixty-four requests at once.
  maxBufferedBytes: 2 ** 26,
  // Requests that were taken below the mark may all have large answers: eight times it.
  maxBufferedBytesHard: 2 ** 29,
  // A hundred and seventy requests of the largest size that etcd takes, none of which is answered.
  maxUnansweredBytes: 2 ** 28,
  // A peer that reads nothing for a minute while so much waits for it is gone or means ill.
  stallTimeoutMs: 60_000,
  prefaceTimeoutMs: 10_000,
  // A client that gives up a thousand watches at once is honest; one that does it every second is not.
  resetBurst: 1000,
  resetsPerSecond: 100,
  idleFrameBurst: 10_000,
  idleFramesPerSecond: 1000,
  // etcd's defaults from here on.
  keepaliveMinTimeMs: 5000,
  keepaliveWithoutStream: false,
  keepaliveIntervalMs: 7_200_000,
  keepaliveTimeoutMs: 20_000,
  tickMs: 500,
};

/** Without streams, where that is no licence to ping. As in gRPC's Go implementation. */
export const IDLE_PING_MIN_TIME_MS = 7_200_000;

/** Pings too early that are forgiven. As in gRPC's Go implementation. */
export const PING_STRIKES_MAX = 2;

/** Larger parts of a response are sent from where they are, smaller ones copied: a copy costs less than a piece more. */
export const COPIED_PART_BYTES_MAX = 16_384;

/** What is handed to the socket, or about to be, of one connection: over it, responses wait in their streams. */
export const SOCKET_BACKLOG_BYTES = 262_144;

/**
 * Over this, the peer gets no more of its requests read. Heads, resets and acknowledgements do not wait in streams: this
 * is what bounds them.
 */
export const UNREAD_BACKLOG_BYTES: number = 4 * SOCKET_BACKLOG_BYTES;

/** A stream with more waiting asks its listener to hold. */
export const STREAM_BACKLOG_BYTES = 65_536;

/** Between the two GOAWAYs of a graceful end if the peer does not answer our ping, and after the last frame. */
export const FAREWELL_MS = 1000;
