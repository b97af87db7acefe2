/**
 * Which certificates count no more. As in etcd, a serial number is looked for whoever the list is from, and how old it
 * is does not matter.
 *
 * @see RFC 5280, 5.1
 */
import { DerError, derValues, Tag } from "./der.ts";

/** @param file  PEM or DER. @returns serial numbers in upper-case hex, as Node shows them. @throws DerError */
export function revokedSerials(file: Uint8Array): ReadonlySet<string> {
  const [list] = derValues(derOf(file));
  if (list?.tag !== Tag.sequence) throw new DerError("it is no revocation list");
  const [body] = derValues(list.content);
  if (body?.tag !== Tag.sequence) throw new DerError("it is no revocation list");
  // version?, algorithm, issuer, this update, next update?, revoked?, [0] extensions?
  const parts = derValues(body.content);
  if (parts[0]?.tag === Tag.integer) parts.shift();
  const [algorithm, issuer, from, ...rest] = parts;
  if (algorithm?.tag !== Tag.sequence || issuer?.tag !== Tag.sequence || !isTime(from?.tag)) {
    throw new DerError("it is no revocation list");
  }
  if (isTime(rest[0]?.tag)) rest.shift();
  const serials = new Set<string>();
  const [revoked] = rest;
  if (revoked?.tag !== Tag.sequence) return serials;
  for (const { content } of derValues(revoked.content)) {
    const [serial] = derValues(content);
    if (serial?.tag !== Tag.integer) throw new DerError("it is no revocation list");
    serials.add(serialText(Buffer.from(serial.content).toString("hex")));
  }
  return serials;
}

/** As it is compared: without leading zeros. */
export function serialText(hex: string): string {
  return hex.toUpperCase().replace(/^0+(?=.)/, "");
}

function isTime(tag: number | undefined): boolean {
  return tag === Tag.utcTime || tag === Tag.generalizedTime;
}

function derOf(file: Uint8Array): Uint8Array {
  const text = Buffer.from(file).toString("latin1");
  const found = /-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/.exec(text);
  return found === null ? file : Buffer.from(found[1] ?? "", "base64");
}
