/**
 * Loaded before everything else by each Node process of a profiled run: tells who it is, so that its profile can be
 * named, and sees to it that the processes it starts are profiled as well.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { type Announced, PROFILE_FOLDER, PROFILE_NODE } from "./announced.ts";

const folder = process.env[PROFILE_FOLDER];
const node = process.env[PROFILE_NODE];

if (folder !== undefined && node !== undefined) {
  process.execPath = node;
  if (isMainThread) {
    const { pid, argv } = process;
    const said: Announced = { pid, argv: argv.slice(1) };
    writeFileSync(join(folder, `${pid}.json`), JSON.stringify(said));
  }
}
