/** Where the files are that threads begin with. A module of its own: it has to stay where it is, beside them. */
import { fileURLToPath } from "node:url";

/** Threads run the built JavaScript, also when this file is run from its source by a test. */
export function workerFile(name: string): string {
  const here = fileURLToPath(import.meta.url);
  const built = here.endsWith(".ts")
    ? here.replace(/src[\\/]jobs[\\/]worker-file\.ts$/, "dist/src/jobs/worker-file.js")
    : here;
  return built.replace(/worker-file\.js$/, `${name}.worker.js`);
}
