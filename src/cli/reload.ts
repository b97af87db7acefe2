/** SIGHUP: the configuration file is read again, and what can be changed in a running server is. */
import { reasonOf } from "../base/errors.ts";
import type { Io } from "../console/io.ts";
import { type RunInvocation, readInvocation } from "../server/config/command-line.ts";
import { applyLiveSettings, type LiveTarget } from "../server/live-settings.ts";
import type { Logger } from "../server/logging/logger.ts";

export interface ReloadContext {
  readonly args: readonly string[];
  readonly env: Io["env"];
  readonly started: RunInvocation;
  readonly log: Logger;
}

/** Never rejects: what the file is not good for is one line, and then nothing is changed. */
export async function reload(target: LiveTarget, context: ReloadContext): Promise<void> {
  const { args, env, started, log } = context;
  const path = started.configFile;
  if (path === undefined) {
    log.warn("received SIGHUP, but there is no --config-file to be read again");
    return;
  }
  const refused = (error: string): void =>
    log.error("the configuration file is not taken, and nothing is changed", { path, error });
  try {
    const read = await readInvocation(args, env);
    if (read.kind === "refused") return refused(read.error.message);
    if (read.kind !== "run") return;
    const { changed, needRestart } = applyLiveSettings(target, started, read);
    log.info("the configuration file was read again", { path, changed });
    if (needRestart.length > 0) {
      log.warn("these settings need a restart", { path, flags: needRestart });
    }
  } catch (error) {
    refused(reasonOf(error));
  }
}
