/**
 * The outsiders that judge strata: found, and their versions looked at, but never installed from here.
 *
 * Free of vitest, so that benchmarks can use it too; the rule for a missing peer is in `describe-with-peers.ts`.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join, sep } from "node:path";

export type PeerName =
  | "etcd"
  | "etcdctl"
  | "go-bbolt"
  | "flock"
  | "python3"
  | "python3-etcd3"
  | "h2load"
  | "h2spec"
  | "chromium";

/** Cannot be had on every system, not even in CI: it is built from Go modules, which want a recent Go and the network. */
export const PEERS_NOT_EVERYWHERE: ReadonlySet<PeerName> = new Set(["h2spec"]);

export type Peer =
  | { readonly found: true; readonly path: string; readonly version: string }
  | { readonly found: false; readonly why: string };

/** Where Debian's packages of Go sources put bbolt and the one package it needs. */
export const GO_SOURCES: string = "/usr/share/gocode";

const NEEDED_SOURCES = ["go.etcd.io/bbolt/db.go", "golang.org/x/sys/unix/syscall_linux.go"];

/** Go's own tarball, and Debian's versioned packages, live outside the usual PATH. */
const GO_FOLDERS = ["/usr/local/go/bin", "/usr/lib/go/bin"];

const finders: Readonly<Record<PeerName, () => Peer>> = {
  etcd: () => findProgram("etcd", ["--version"], /etcd Version: (3\.4\.\d+)/),
  etcdctl: () => findProgram("etcdctl", ["version"], /etcdctl version: (3\.4\.\d+)/),
  "go-bbolt": findGo,
  flock: () => findProgram("flock", ["--version"], /util-linux (\S+)/),
  python3: () => findProgram("python3", ["--version"], /Python (3\.\S+)/),
  "python3-etcd3": () =>
    findProgram("python3", ["-c", "import etcd3; print(etcd3.__version__)"], /^(0\.\d+\S*)/),
  h2load: () => findProgram("h2load", ["--version"], /nghttp2\/(\d\S*)/),
  h2spec: findH2spec,
  chromium: () => findProgram("chromium", ["--version"], /Chromium (\d+\.\S+)/),
};

const known = new Map<PeerName, Peer>();

/** Looks for a peer, once per process. `path` is the Go command for `go-bbolt`, for `python3-etcd3` the Python that has it. */
export function peer(name: PeerName): Peer {
  const before = known.get(name);
  if (before !== undefined) return before;
  const found = finders[name]();
  known.set(name, found);
  return found;
}

/** @throws Error saying what is missing: a test that comes here is not under `describeWithPeers`. */
export function peerPath(name: PeerName): string {
  const found = peer(name);
  if (!found.found) throw new Error(`${name} is missing: ${found.why}`);
  return found.path;
}

function findGo(): Peer {
  for (const source of NEEDED_SOURCES) {
    const path = join(GO_SOURCES, "src", source);
    if (!existsSync(path)) return { found: false, why: `there is no ${path}` };
  }
  // 1.19 is Debian 12's, the oldest the judge is meant for.
  return findProgram("go", ["version"], /go version go(1\.(?:19|[2-9]\d)\S*)/, GO_FOLDERS);
}

/** STRATA_H2SPEC says which; `go install` puts it where PATH often does not look. */
function findH2spec(): Peer {
  const wanted = /Version: (2\.\S+)/;
  const said = process.env.STRATA_H2SPEC;
  if (said !== undefined)
    return findProgram(basename(said), ["--version"], wanted, [dirname(said)]);
  const goPath = process.env.GOPATH ?? join(homedir(), "go");
  return findProgram("h2spec", ["--version"], wanted, [join(goPath, "bin")]);
}

function findProgram(
  program: string,
  versionArgs: readonly string[],
  wanted: RegExp,
  moreFolders: readonly string[] = [],
): Peer {
  let why = `no ${program} on PATH`;
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), ...moreFolders]) {
    const path = join(folder, program);
    // strata has an etcdctl of its own, and npm puts such things first: it must not be its own judge.
    if (folder.split(sep).includes("node_modules") || !isExecutable(path)) continue;
    const ran = spawnSync(path, versionArgs, {
      encoding: "utf8",
      env: { ...process.env, ETCDCTL_API: "3" },
    });
    const version = wanted.exec(ran.stdout ?? "")?.[1];
    if (version !== undefined) return { found: true, path, version };
    why = `${path} is not a version that matches ${wanted.source}`;
  }
  return { found: false, why };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
