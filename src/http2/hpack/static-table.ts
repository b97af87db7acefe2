/** The header fields that both sides know from the start. @see RFC 7541, Appendix A */
import { Entry } from "./entry.ts";

const FIELDS =
  ":authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|" +
  ":status 204|:status 206|:status 304|:status 400|:status 404|:status 500|accept-charset|" +
  "accept-encoding gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|" +
  "authorization|cache-control|content-disposition|content-encoding|content-language|content-length|" +
  "content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|" +
  "if-modified-since|if-none-match|if-range|if-unmodified-since|last-modified|link|location|max-forwards|" +
  "proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|" +
  "strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate";

/** At index 1 and up; 0 is no index. */
export const STATIC_TABLE: readonly (Entry | undefined)[] = [
  undefined,
  ...FIELDS.split("|").map((field) => {
    const space = field.indexOf(" ");
    if (space < 0) return new Entry(field, "");
    return new Entry(field.slice(0, space), field.slice(space + 1));
  }),
];

export const STATIC_COUNT: number = STATIC_TABLE.length - 1;

/** The first index with this name. */
export const STATIC_NAMES: ReadonlyMap<string, number> = new Map(
  STATIC_TABLE.map((entry, index) => [entry?.name ?? "", index] as const)
    .slice(1)
    .reverse(),
);

/** Zero if the static table has no such field. */
export function staticIndexOf(name: string, value: string): number {
  for (let index = STATIC_NAMES.get(name) ?? 0; index > 0 && index <= STATIC_COUNT; index++) {
    const entry = STATIC_TABLE[index];
    if (entry?.name !== name) return 0;
    if (entry.value === value) return index;
  }
  return 0;
}
