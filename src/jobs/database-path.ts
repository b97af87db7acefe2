import { lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** The database file of a path that may be a file or an etcd data dir. @throws the system's error if it is neither */
export function databasePath(path: string): string {
  return statSync(path).isDirectory() ? join(path, "member", "snap", "db") : path;
}

/** As many as the system follows. */
const LINKS_MAX = 40;

/** Where a file is to be made: what leads to it is not replaced, also if it leads to nothing yet. etcdctl replaces it. */
export function placeToWrite(path: string): string {
  let place = path;
  for (let links = 0; links < LINKS_MAX; links++) {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) break;
    place = resolve(dirname(place), readlinkSync(place));
  }
  return place;
}
