/**
 * URLs by which members reach each other, as etcd takes them: `scheme://host:port` and nothing behind it, in the order
 * of their texts.
 *
 * @see etcd client/pkg/types/urls.go
 */

/** A port may be any text here, as in Go; a host may be empty, or an IPv6 address in brackets. */
const TCP = /^https?:\/\/(\[[^\]\s]*\]|[^:/?#@[\]\s]*):[^:/?#@[\]\s]*$/;
const UNIX = /^unixs?:\/\/[^/?#\s]+$/;

/** @returns undefined if there is none, or one of them is none */
export function peerUrlsOf(texts: readonly string[]): string[] | undefined {
  if (texts.length === 0) return undefined;
  const urls = texts.map((text) => text.trim().replace(/^[^:]*/, (scheme) => scheme.toLowerCase()));
  if (!urls.every((url) => TCP.test(url) || UNIX.test(url))) return undefined;
  return urls
    .map((url) => Buffer.from(url))
    .sort(Buffer.compare)
    .map(String);
}
