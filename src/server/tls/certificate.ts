/** X.509 certificates of our own making: that of --auto-tls, and those that tests need. @see RFC 5280 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  integer,
  objectId,
  octetString,
  sequence,
  set,
  TRUE,
  tagged,
  time,
  utf8String,
} from "./der.ts";

export interface CertificateRequest {
  readonly organization?: string;
  readonly commonName?: string;
  /** Names and addresses it is for. */
  readonly hosts: readonly string[];
  readonly from: Date;
  readonly until: Date;
  /** May vouch for others. */
  readonly isCa: boolean;
  readonly usages: readonly ("server" | "client")[];
  /** Who vouches for it. Default: itself. */
  readonly issuer?: MadeCertificate;
}

export interface MadeCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** DER of its subject's name. */
  readonly subject: Uint8Array;
  readonly serial: Uint8Array;
}

const ECDSA_WITH_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));
const ORGANIZATION = "2.5.4.10";
const COMMON_NAME = "2.5.4.3";
const USAGE = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** With a new key on the curve P-256. */
export function makeCertificate(request: CertificateRequest): MadeCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = nameOf(request);
  // Positive, and never of a byte more.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const { issuer } = request;
  const body = sequence(
    tagged(0, integer(Buffer.of(2))),
    integer(serial),
    ECDSA_WITH_SHA256,
    issuer?.subject ?? subject,
    sequence(time(request.from), time(request.until)),
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensions(request, publicKey, issuer))),
  );
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const signed = sequence(body, ECDSA_WITH_SHA256, bitString(sign("sha256", body, signer)));
  return {
    certificate: pem("CERTIFICATE", signed),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    subject,
    serial,
  };
}

/** A list of certificates of `issuer` that count no more, PEM. */
export function makeRevocationList(
  issuer: MadeCertificate,
  revoked: readonly MadeCertificate[],
  at: Date,
): string {
  const entries = revoked.map(({ serial }) => sequence(integer(serial), time(at)));
  const body = sequence(
    integer(Buffer.of(1)),
    ECDSA_WITH_SHA256,
    issuer.subject,
    time(at),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
  );
  const signature = sign("sha256", body, createPrivateKey(issuer.key));
  return pem("X509 CRL", sequence(body, ECDSA_WITH_SHA256, bitString(signature)));
}

function nameOf({ organization, commonName }: CertificateRequest): Buffer {
  const part = (id: string, text: string): Buffer => set(sequence(objectId(id), utf8String(text)));
  return sequence(
    ...(organization === undefined ? [] : [part(ORGANIZATION, organization)]),
    ...(commonName === undefined ? [] : [part(COMMON_NAME, commonName)]),
  );
}

function extensions(
  { isCa, usages, hosts }: CertificateRequest,
  publicKey: KeyObject,
  issuer: MadeCertificate | undefined,
): Buffer[] {
  const critical = (id: string, value: Buffer): Buffer =>
    sequence(objectId(id), TRUE, octetString(value));
  const plain = (id: string, value: Buffer): Buffer => sequence(objectId(id), octetString(value));
  const found = [
    // digitalSignature, keyEncipherment; keyCertSign and cRLSign of one that vouches.
    critical("2.5.29.15", isCa ? bitString(Buffer.of(0xa6), 1) : bitString(Buffer.of(0xa0), 5)),
    critical("2.5.29.19", isCa ? sequence(TRUE) : sequence()),
    plain("2.5.29.14", octetString(keyId(publicKey))),
  ];
  if (issuer !== undefined) {
    const id = keyId(createPublicKey(issuer.certificate));
    found.push(plain("2.5.29.35", sequence(tagged(0, id, false))));
  }
  if (usages.length > 0) {
    found.push(plain("2.5.29.37", sequence(...usages.map((usage) => objectId(USAGE[usage])))));
  }
  if (hosts.length > 0) found.push(plain("2.5.29.17", sequence(...hosts.map(generalName))));
  return found;
}

function keyId(publicKey: KeyObject): Buffer {
  return createHash("sha1")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest();
}

function generalName(host: string): Buffer {
  if (isIP(host) === 0) return tagged(2, Buffer.from(host, "latin1"), false);
  return tagged(7, addressBytes(host), false);
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  // The address parser of the platform knows all the ways to write one.
  const full = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = "", right] = full.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return Buffer.from(
    [...head, ...zeros, ...tail].map((group) => group.padStart(4, "0")).join(""),
    "hex",
  );
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
