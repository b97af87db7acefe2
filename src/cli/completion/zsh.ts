/** A completion script for zsh, with what everything is for. */
import { choices, type Node, spellings, valued } from "./nodes.ts";

export function zshScript(program: string, nodes: readonly Node[]): string {
  const nodeCases = nodes.map(
    (node) => `        '${node.path}')
            entries=(${node.entries.map(({ name, summary }) => described(name, summary)).join(" ")})
            flags=(${node.flags.flatMap((flag) => spellings(flag).map((one) => described(one, flag.help))).join(" ")})
            valued=(${valued(node).join(" ")}) ;;`,
  );
  const choiceCases = [...choices(nodes)].map(
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
            ((\${valued[(Ie)$arg]})) && flag="$arg"
        elif __${program}_node "\${at:+$at }$arg"; then
            at="\${at:+$at }$arg"
        fi
    done
    if [[ -z $flag && "\${words[CURRENT]}" == -*=* ]]; then
        flag="\${words[CURRENT]%%=*}"
        compset -P 1 '*='
    fi
    if [[ -n $flag ]]; then
        if __${program}_values "$at/$flag"; then compadd -a values; else _files; fi
    elif [[ "\${words[CURRENT]}" == -* ]]; then
        _describe -o 'flag' flags
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

function described(name: string, help: string): string {
  return `'${name.replaceAll(":", "\\:")}:${help.replaceAll("'", "'\\''")}'`;
}
