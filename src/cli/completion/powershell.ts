/** A completion script for PowerShell, with what everything is for. */
import type { FlagSpec } from "../../console/flags.ts";
import { choices, type Node, spellings, valued } from "./nodes.ts";

export function powershellScript(program: string, nodes: readonly Node[]): string {
  const nodeLines = nodes.map(
    (node) => `        ${quoted(node.path)} = @{
            Entries = @(${node.entries.map(({ name, summary }) => pair(name, summary)).join(", ")})
            Flags = @(${node.flags.flatMap(flagPairs).join(", ")})
            Valued = @(${valued(node).map(quoted).join(", ")})
        }`,
  );
  const choiceLines = [...choices(nodes)].map(
    ([place, values]) => `        ${quoted(place)} = @(${values.map(quoted).join(", ")})`,
  );
  return `# PowerShell completion for ${program}

Register-ArgumentCompleter -Native -CommandName '${program}' -ScriptBlock {
    param($word, $line, $cursor)
    $nodes = @{
${nodeLines.join("\n")}
    }
    $values = @{
${choiceLines.join("\n")}
    }
    $at = ''
    $flag = ''
    foreach ($element in ($line.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursor -and $word -ne '') { break }
        $arg = $element.Extent.Text
        $next = "$at $arg".Trim()
        if ($flag -ne '') { $flag = '' }
        elseif ($arg.StartsWith('-')) { if ($nodes[$at].Valued -ccontains $arg) { $flag = $arg } }
        elseif ($nodes.ContainsKey($next)) { $at = $next }
    }
    if ($flag -ne '') {
        if (-not $values.ContainsKey("$at/$flag")) { return }
        $found = $values["$at/$flag"] | ForEach-Object { , @($_, $_) }
    }
    elseif ($word.StartsWith('-')) { $found = $nodes[$at].Flags }
    else { $found = $nodes[$at].Entries }
    $found | Where-Object { $_[0].StartsWith($word) } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
    }
}
`;
}

function flagPairs(flag: FlagSpec): string[] {
  return spellings(flag).map((spelling) => pair(spelling, flag.help));
}

/** The comma keeps PowerShell from taking a list of one pair for two words. */
function pair(name: string, help: string): string {
  return `, @(${quoted(name)}, ${quoted(help)})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
