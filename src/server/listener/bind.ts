/** Taking a port or a path, with the words of Go where it fails: operators know them. */
import { lookup } from "node:dns/promises";
import { isIP, type Server } from "node:net";
import { basename, dirname } from "node:path";
import { SystemDirectory } from "../../../native-free/file.ts";
import { StrataError } from "../../base/errors.ts";

/** Where to listen. */
export interface ListenAddress {
  readonly scheme: "http" | "https" | "unix" | "unixs";
  /** Empty: all addresses. Of a unix URL, empty. */
  readonly host: string;
  readonly port: number;
  /** Of a unix URL: the path of its socket. */
  readonly address: string;
}

const WORDS: Readonly<Record<string, string>> = {
  EADDRINUSE: "bind: address already in use",
  EADDRNOTAVAIL: "bind: cannot assign requested address",
  EACCES: "bind: permission denied",
  EPERM: "bind: operation not permitted",
  ENOENT: "bind: no such file or directory",
  ENOTDIR: "bind: not a directory",
  EINVAL: "bind: invalid argument",
  EAFNOSUPPORT: "socket: address family not supported by protocol",
  EMFILE: "socket: too many open files",
};

/** @throws StrataError IO, as `listen tcp 127.0.0.1:2379: bind: address already in use` */
export async function bind(server: Server, where: ListenAddress): Promise<void> {
  if (where.scheme === "unix" || where.scheme === "unixs") {
    removeOldSocket(where.address);
    await listening(server, { path: where.address }, `unix ${where.address}`);
    return;
  }
  const { port } = where;
  if (where.host === "") {
    // Both families at once, where the machine has both.
    await listening(server, { port }, `tcp :${port}`);
    return;
  }
  const host = isIP(where.host) === 0 ? await addressOf(where.host) : where.host;
  const shown = host.includes(":") ? `[${host}]` : host;
  await listening(server, { host, port }, `tcp ${shown}:${port}`);
}

/** One name is one address, and that of IPv4 if there is any, as in Go. */
async function addressOf(name: string): Promise<string> {
  try {
    const found = await lookup(name, { all: true });
    const [first] = found;
    const chosen = found.find(({ family }) => family === 4) ?? first;
    if (chosen !== undefined) return chosen.address;
  } catch (error) {
    throw new StrataError("IO", `listen tcp: lookup ${name}: no such host`, { cause: error });
  }
  throw new StrataError("IO", `listen tcp: lookup ${name}: no such host`);
}

function listening(
  server: Server,
  at: { readonly host?: string; readonly port?: number; readonly path?: string },
  shown: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const why = WORDS[error.code ?? ""] ?? error.message;
      reject(new StrataError("IO", `listen ${shown}: ${why}`, { cause: error }));
    };
    server.once("error", failed);
    server.listen({ ...at, backlog: 4096 }, () => {
      server.removeListener("error", failed);
      resolve();
    });
  });
}

/** What a server that was killed has left: as etcd does, without asking whether anybody listens there. */
function removeOldSocket(path: string): void {
  try {
    new SystemDirectory(dirname(path)).remove(basename(path));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return;
    throw new StrataError("IO", `listen unix ${path}: ${WORDS[code ?? ""] ?? String(error)}`, {
      cause: error,
    });
  }
}
