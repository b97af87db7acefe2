/** `completion SHELL`: a script that is made of the program's own commands, so it knows what they know. */
import type { Command, Program } from "../../console/command.ts";
import { EXIT_ERROR, EXIT_SUCCESS } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { Commands } from "./nodes.ts";

type Script = (commands: Commands) => string;

const SHELLS: Readonly<Record<string, () => Promise<Script>>> = {
  bash: async () => (await import("./bash.ts")).bashScript,
  zsh: async () => (await import("./zsh.ts")).zshScript,
  fish: async () => (await import("./fish.ts")).fishScript,
  powershell: async () => (await import("./powershell.ts")).powershellScript,
};

/** @param programOf  the program, whose tree this command is in itself */
export function completionCommand(name: string, programOf: () => Program): Command {
  return {
    usage: `completion [${Object.keys(SHELLS).join("|")}]`,
    description:
      "Prints a script with which a shell completes commands and flags.\n" +
      `bash: source <(${name} completion bash); for all sessions, put it into /etc/bash_completion.d/${name}.\n` +
      `zsh: ${name} completion zsh > "\${fpath[1]}/_${name}".\n` +
      `fish: ${name} completion fish > ~/.config/fish/completions/${name}.fish.\n` +
      `PowerShell: ${name} completion powershell | Out-String | Invoke-Expression.`,
    examples: [`${name} completion bash`],
    flags: [],
    run: async ({ positionals }, io) => {
      const [shell, ...more] = positionals;
      if (shell === undefined || more.length > 0) {
        throw new Failure(EXIT_ERROR, `accepts 1 arg(s), received ${positionals.length}`);
      }
      const script = Object.hasOwn(SHELLS, shell) ? await SHELLS[shell]?.() : undefined;
      if (script === undefined) {
        const what = `invalid argument ${JSON.stringify(shell)} for "${name} completion"`;
        throw new Failure(EXIT_ERROR, what);
      }
      const { commandsOf } = await import("./nodes.ts");
      io.stdout.write(script(await commandsOf(programOf())));
      return EXIT_SUCCESS;
    },
  };
}
