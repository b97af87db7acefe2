/** A completion script that needs nothing but bash. */
import { type Commands, choices, spellings, valued } from "./nodes.ts";

export function bashScript(commands: Commands): string {
  const { program, flags, nodes } = commands;
  const nodeCases = nodes.map(
    (node) => `        '${node.path}')
            entries='${node.entries.map(({ name }) => name).join(" ")}'
            flags='${node.flags.flatMap(spellings).join(" ")}'
            valued=' ${valued(node.flags).join(" ")} ' ;;`,
  );
  const choiceCases = choices(commands).map(
    ([place, values]) => `        '${place}') values='${values.join(" ")}' ;;`,
  );
  return `# bash completion for ${program}

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
    local -r everywhere='${flags.flatMap(spellings).join(" ")}'
    local -r everywhere_valued=' ${valued(flags).join(" ")} '
    local word="\${COMP_WORDS[COMP_CWORD]}" at='' flag='' arg entries flags valued values i
    COMPREPLY=()
    __${program}_node ''
    for ((i = 1; i < COMP_CWORD; i++)); do
        arg="\${COMP_WORDS[i]}"
        # bash takes --flag=value for three words.
        if [[ $arg == '=' ]]; then
            [[ $flag == '' ]] && flag="\${COMP_WORDS[i - 1]}"
        elif [[ $flag != '' ]]; then
            flag=''
        elif [[ $arg == '--' ]]; then
            return
        elif [[ $arg == -* ]]; then
            [[ $everywhere_valued$valued == *" $arg "* ]] && flag="$arg"
        elif __${program}_node "\${at:+$at }$arg"; then
            at="\${at:+$at }$arg"
        fi
    done
    if [[ $word == '=' ]]; then
        flag="\${COMP_WORDS[COMP_CWORD - 1]}"
        word=''
    fi
    if [[ $flag != '' ]]; then
        if __${program}_values "$at/$flag" || __${program}_values "/$flag"; then
            COMPREPLY=($(compgen -W "$values" -- "$word"))
        fi
    elif [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$flags $everywhere" -- "$word"))
    elif [[ $entries != '' ]]; then
        COMPREPLY=($(compgen -W "$entries" -- "$word"))
    fi
}

complete -o default -F _${program} ${program}
`;
}
