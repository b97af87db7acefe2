/** Names functions of a profile by the line of TypeScript that they come from. */
import { existsSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { projectFolder } from "../../test/support/judge.ts";
import type { CallFrame } from "./cpu-profile.ts";

/** Whose code it is. */
export type Owner = "strata" | "package" | "node" | "engine";

const maps = new Map<string, SourceMap | undefined>();

/** "src/pagefile/page.ts:88", "node:fs", "" for the engine itself. */
export function whereOf({ url, lineNumber, columnNumber }: CallFrame): string {
  if (!url.startsWith("file:")) return url;
  const path = fileURLToPath(url);
  const entry = mapOf(path)?.findEntry(lineNumber, columnNumber);
  if (entry !== undefined && "originalSource" in entry) {
    const source = entry.originalSource;
    const original = source.startsWith("file:")
      ? fileURLToPath(source)
      : join(dirname(path), source);
    return `${relative(projectFolder(), original)}:${entry.originalLine + 1}`;
  }
  return `${relative(projectFolder(), path)}:${lineNumber + 1}`;
}

export function ownerOf({ url }: CallFrame): Owner {
  if (url === "") return "engine";
  if (!url.startsWith("file:")) return "node";
  return url.includes("/node_modules/") ? "package" : "strata";
}

export function nameOf({ functionName }: CallFrame): string {
  return functionName === "" ? "(anonymous)" : functionName;
}

function mapOf(path: string): SourceMap | undefined {
  if (maps.has(path)) return maps.get(path);
  const file = `${path}.map`;
  const map = existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, "utf8"))) : undefined;
  maps.set(path, map);
  return map;
}
