/**
 * Password hashes out of bytes that are shown as they are. A page dump does not know what it shows (a page that is
 * free may be an old one of bucket authUsers), so it goes by what etcd stores: bcrypt, `$2a$10$` and 53 characters.
 */
import { latin1 } from "../base/bytes.ts";

const BCRYPT = /\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}/g;
/** The same, cut off by the end of what was read. */
const BCRYPT_CUT = /\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{0,52}$/;
const STAR = 0x2a;

/** The bytes, or a copy with every hash in it turned to `*`. */
export function withoutPasswordHashes(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(0x24)) return bytes;
  const text = latin1(bytes);
  let copy: Uint8Array | undefined;
  for (const match of [...text.matchAll(BCRYPT), ...tail(text)]) {
    copy ??= bytes.slice();
    copy.fill(STAR, match.index, match.index + match[0].length);
  }
  return copy ?? bytes;
}

function tail(text: string): RegExpExecArray[] {
  const cut = BCRYPT_CUT.exec(text.slice(-60));
  if (cut === null) return [];
  cut.index += Math.max(0, text.length - 60);
  return [cut];
}
