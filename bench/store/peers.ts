/** The packages of bench/peers: development's alone, installed by `npm run bench:peers`, and named when they are not. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectFolder } from "../../test/support/judge.ts";

const FOLDER = join(projectFolder(), "bench/peers");

export type PeerPackage = "better-sqlite3" | "classic-level" | "lmdb";

export type Loaded =
  | { readonly found: true; readonly module: unknown; readonly version: string }
  | { readonly found: false; readonly why: string };

/** Never throws: a package that is not there, or whose binary does not load, says why. */
export function loadPeer(name: PeerPackage): Loaded {
  const require = createRequire(join(FOLDER, "package.json"));
  const installed = join(FOLDER, "node_modules", name, "package.json");
  if (!existsSync(installed)) {
    return { found: false, why: "not installed: npm run bench:peers does that" };
  }
  try {
    const manifest = readFileSync(installed, "utf8");
    const { version } = JSON.parse(manifest) as { readonly version: string };
    const module = require(name) as unknown;
    // Its binary is loaded with the first database.
    if (name === "better-sqlite3") new (module as new (path: string) => object)(":memory:");
    return { found: true, module, version };
  } catch (error) {
    const [line = ""] = String(error).split("\n");
    return { found: false, why: `${line} (npm run bench:peers builds it)` };
  }
}

/** @throws Error with the reason why it does not load */
export function peerModule<T>(name: PeerPackage): T {
  const loaded = loadPeer(name);
  if (!loaded.found) throw new Error(`${name}: ${loaded.why}`);
  return loaded.module as T;
}
