/** URLs that a member listens on and is known by. @see etcd client/pkg/types/urls.go */
import { isIP } from "node:net";

/** It is no such URL, in etcd's words. */
export class UrlError extends Error {
  override readonly name: string = "UrlError";
}

export interface MemberUrl {
  readonly scheme: "http" | "https" | "unix" | "unixs";
  /** As etcd prints it. */
  readonly text: string;
  /** Without brackets; empty: all addresses. Of a unix URL, empty. */
  readonly host: string;
  readonly port: number;
  /** `host:port` as it stands there; of a unix URL, the socket's path. */
  readonly address: string;
}

export function isSecure({ scheme }: MemberUrl): boolean {
  return scheme === "https" || scheme === "unixs";
}

/** @param text  URLs with commas between them. @returns sorted. @throws UrlError */
export function urlList(text: string): MemberUrl[] {
  return text
    .split(",")
    .map((one) => memberUrl(one.trim()))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

/** @throws UrlError */
export function memberUrl(text: string): MemberUrl {
  const [, schemeText, rest = ""] = /^([A-Za-z][A-Za-z\d+.-]*):(.*)$/s.exec(text) ?? [];
  if (schemeText === undefined && /^[^/?#]*:/.test(text)) {
    const why = text.startsWith(":")
      ? "missing protocol scheme"
      : "first path segment in URL cannot contain colon";
    throw new UrlError(`parse ${JSON.stringify(text)}: ${why}`);
  }
  const scheme = schemeText?.toLowerCase();
  const [, authority = "", path = ""] = /^(?:\/\/([^/?#]*))?([^?#]*)/.exec(rest) ?? [];
  switch (scheme) {
    case "http":
    case "https":
      return tcpUrl(scheme, authority, path, text);
    case "unix":
    case "unixs": {
      const address = `${authority}${path}`;
      return { scheme, text, host: "", port: 0, address };
    }
    default:
      throw new UrlError(`URL scheme must be http, https, unix, or unixs: ${text}`);
  }
}

function tcpUrl(
  scheme: "http" | "https",
  authority: string,
  path: string,
  text: string,
): MemberUrl {
  const address = authority.slice(authority.lastIndexOf("@") + 1);
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(.*)$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || portText === undefined) {
    throw new UrlError(`URL address does not have the form "host:port": ${text}`);
  }
  if (!/^\d*$/.test(portText)) {
    throw new UrlError(
      `parse ${JSON.stringify(text)}: invalid port ${JSON.stringify(`:${portText}`)} after host`,
    );
  }
  if (path !== "") throw new UrlError(`URL must not contain a path: ${text}`);
  return { scheme, text: `${scheme}://${address}`, host, port: Number(portText), address };
}

/** A name would have to be looked up, and might be another machine's. @throws UrlError */
export function assertBindable(urls: readonly MemberUrl[]): void {
  for (const { scheme, host, text } of urls) {
    if (scheme === "unix" || scheme === "unixs" || host === "localhost") continue;
    if (isIP(host) === 0) throw new UrlError(`expected IP in URL for binding (${text})`);
  }
}

/** @throws UrlError for one that nobody could reach */
export function assertReachable(urls: readonly MemberUrl[]): void {
  for (const { scheme, host, text } of urls) {
    if (scheme === "unix" || scheme === "unixs") continue;
    if (host === "") throw new UrlError(`unexpected empty host (${text})`);
  }
}
