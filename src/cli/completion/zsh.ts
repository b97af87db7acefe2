/** A completion script for zsh, with what everything is for. */
import type { FlagSpec } from "../../console/flags.ts";
import { type Commands, choices, spellings, valued } from "./nodes.ts";

export function zshScript(commands: Commands): string {
  const { program, flags, nodes } = commands;
  const nodeCases = nodes.map(
    (node) => `        '${node.path}')
            entries=(${node.entries.map(({ name, summary }) => described(name, summary)).join(" ")})
            flags=(${describedFlags(node.flags)})
            valued=(${valued(node.flags).join(" ")}) ;;`,
  );
  const choiceCases = choices(commands).map(
    ([place, values]) => `        '${place}') values=(${values.join(" ")}) ;;`,
  );
  return `#compdef ${program}
# zsh completion for ${program}

# What may come behind the words in $1.
__${program}_node() {
    case "$1" in
${nodeCases.join("\n")}
        *) return 1 ;;
    esac
}

# The values that a flag may have: $1 is the command, a slash and the flag.
__${program}_values() {
    case "$1" in
${choiceCases.join("\n")}
        *) return 1 ;;
    esac
}

_${program}() {
    local at='' flag='' arg
    local -a entries flags valued values
    local -a everywhere=(${describedFlags(flags)})
    local -a everywhere_valued=(${valued(flags).join(" ")})
    local -i i
    __${program}_node ''
    for ((i = 2; i < CURRENT; i++)); do
        arg="\${words[i]}"
        if [[ -n $flag ]]; then
            flag=''
        elif [[ $arg == '--' ]]; then
            _files
            return
        elif [[ $arg == -* ]]; then
            ((\${valued[(Ie)$arg]} || \${everywhere_valued[(Ie)$arg]})) && flag="$arg"
        elif __${program}_node "\${at:+$at }$arg"; then
            at="\${at:+$at }$arg"
        fi
    done
    if [[ -z $flag && "\${words[CURRENT]}" == -*=* ]]; then
        flag="\${words[CURRENT]%%=*}"
        compset -P 1 '*='
    fi
    if [[ -n $flag ]]; then
        if __${program}_values "$at/$flag" || __${program}_values "/$flag"; then compadd -a values; else _files; fi
    elif [[ "\${words[CURRENT]}" == -* ]]; then
        _describe -o 'flag' flags -- everywhere
    elif ((\${#entries})); then
        _describe 'command' entries
    else
        _files
    fi
}

if [[ "\${funcstack[1]}" == '_${program}' ]]; then
    _${program} "$@"
else
    compdef _${program} ${program}
fi
`;
}

function describedFlags(flags: readonly FlagSpec[]): string {
  return flags.flatMap((flag) => spellings(flag).map((one) => described(one, flag.help))).join(" ");
}

function described(name: string, help: string): string {
  return `'${name.replaceAll(":", "\\:")}:${help.replaceAll("'", "'\\''")}'`;
}
