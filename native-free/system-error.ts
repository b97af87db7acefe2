import { constants } from "node:os";

const TEXT = {
  EBADF: "bad file descriptor",
  EEXIST: "file already exists",
  EINVAL: "invalid argument",
  EIO: "i/o error",
  EISDIR: "illegal operation on a directory",
  ENOENT: "no such file or directory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENOTEMPTY: "directory not empty",
} as const;

export type SystemErrorCode = keyof typeof TEXT;

/** An error as `node:fs` throws it: nobody should be able to tell a disk that is none by its errors. */
export function systemError(
  code: SystemErrorCode,
  syscall: string,
  path?: string,
): NodeJS.ErrnoException {
  const where = path === undefined ? "" : ` '${path}'`;
  return Object.assign(new Error(`${code}: ${TEXT[code]}, ${syscall}${where}`), {
    code,
    errno: -constants.errno[code],
    syscall,
    ...(path === undefined ? {} : { path }),
  });
}
