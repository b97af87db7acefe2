/**
 * A key and its certificate on the disk. Both come under other names and are renamed when they are whole, the
 * certificate last: where there is one, its key is there too, and both are what was made together.
 */
import type { Directory } from "../../../native-free/file.ts";

export const CERT_NAME = "cert.pem";
export const KEY_NAME = "key.pem";

export interface Pem {
  readonly key: string;
  readonly certificate: string;
}

/** @returns false if they are there already, and nothing was made @throws the system's errors */
export function makeOnce(folder: Directory, make: () => Pem): boolean {
  if (folder.exists(CERT_NAME) && folder.exists(KEY_NAME)) return false;
  // Never a certificate beside a key that is not its own.
  if (folder.exists(CERT_NAME)) {
    folder.remove(CERT_NAME);
    folder.sync();
  }
  const { key, certificate } = make();
  put(folder, KEY_NAME, key, 0o600);
  put(folder, CERT_NAME, certificate, 0o644);
  return true;
}

function put(folder: Directory, name: string, text: string, permissions: number): void {
  const unfinished = `${name}.part`;
  if (folder.exists(unfinished)) folder.remove(unfinished);
  const file = folder.openFile(unfinished, "create-exclusive", permissions);
  try {
    file.write(0, Buffer.from(text));
    file.sync();
  } finally {
    file.close();
  }
  folder.rename(unfinished, name);
  folder.sync();
}
