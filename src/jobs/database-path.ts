import { statSync } from "node:fs";
import { join } from "node:path";

/** The database file of a path that may be a file or an etcd data dir. @throws the system's error if it is neither */
export function databasePath(path: string): string {
  return statSync(path).isDirectory() ? join(path, "member", "snap", "db") : path;
}
