/** `--initial-cluster`: `name=url,name=url`. @see etcd client/pkg/types/urlsmap.go, server/config/config.go */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { ConfigError } from "./settings.ts";
import { type MemberUrl, memberUrl, UrlError } from "./url-list.ts";

/** Peer URLs by member name. */
export type PeerUrlMap = ReadonlyMap<string, readonly MemberUrl[]>;

/** @throws ConfigError */
export function peerUrlMap(text: string): PeerUrlMap {
  try {
    return namedPeerUrls(text);
  } catch (error) {
    if (!(error instanceof UrlError)) throw error;
    throw new ConfigError(`error setting up initial cluster: ${error.message}`);
  }
}

/** A name that comes more than once has several URLs. @throws UrlError */
export function namedPeerUrls(text: string): PeerUrlMap {
  const members = new Map<string, MemberUrl[]>();
  for (const pair of text.split(",")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const urls = members.get(name) ?? [];
    urls.push(memberUrl(equals < 0 ? "" : pair.slice(equals + 1).trim()));
    members.set(name, urls);
  }
  return members;
}

/**
 * The peer URLs that are advertised must be those of the initial cluster; names may stand for addresses.
 * @throws (rejects) ConfigError
 */
export async function assertAdvertised(
  name: string,
  advertised: readonly MemberUrl[],
  cluster: PeerUrlMap,
): Promise<void> {
  const own = cluster.get(name) ?? [];
  const texts = (urls: readonly MemberUrl[]): string[] => urls.map(({ text }) => text).sort();
  const [given, expected] = [texts(advertised), texts(own)];
  if (given.join() === expected.join()) return;
  if ((await resolved(advertised)) === (await resolved(own))) return;
  const unadvertised = expected.filter((text) => !given.includes(text));
  if (unadvertised.length > 0) {
    const missing = unadvertised.map((text) => `${name}=${text}`).join(",");
    throw new ConfigError(
      `--initial-cluster has ${missing} but missing from --initial-advertise-peer-urls=${given.join(",")}`,
    );
  }
  const missing = given.filter((text) => !expected.includes(text)).join(",");
  const shown = given.map((text) => `${name}=${text}`).join(",");
  throw new ConfigError(
    `--initial-advertise-peer-urls has ${missing} but missing from --initial-cluster=${shown}`,
  );
}

async function resolved(urls: readonly MemberUrl[]): Promise<string> {
  const texts = urls.map(async ({ scheme, host, port, text }) => {
    if (host === "" || isIP(host) !== 0) return text;
    const found = await lookup(host, { family: 4 }).catch(() => undefined);
    return found === undefined ? text : `${scheme}://${found.address}:${port}`;
  });
  return (await Promise.all(texts)).sort().join(",");
}
