/** A completion script for PowerShell, with what everything is for. */
import type { FlagSpec } from "../../console/flags.ts";
import { type Commands, choices, spellings, valued } from "./nodes.ts";

export function powershellScript(commands: Commands): string {
  const { program, flags, nodes } = commands;
  const nodeLines = nodes.map(
    (node) => `        ${quoted(node.path)} = @{
            Entries = ${dictionary(node.entries.map(({ name, summary }) => [name, summary]))}
            Flags = ${dictionary(node.flags.flatMap(flagPairs))}
            Valued = @(${valued(node.flags).map(quoted).join(", ")})
        }`,
  );
  const choiceLines = choices(commands).map(
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
    $everywhere = ${dictionary(flags.flatMap(flagPairs))}
    $everywhereValued = @(${valued(flags).map(quoted).join(", ")})
    $at = ''
    $flag = ''
    foreach ($element in ($line.CommandElements | Select-Object -Skip 1)) {
        if ($element.Extent.EndOffset -ge $cursor -and $word -ne '') { break }
        $arg = $element.Extent.Text
        $next = "$at $arg".Trim()
        if ($flag -ne '') { $flag = '' }
        elseif ($arg.StartsWith('-')) { if (($nodes[$at].Valued + $everywhereValued) -ccontains $arg) { $flag = $arg } }
        elseif ($nodes.ContainsKey($next)) { $at = $next }
    }
    if ($flag -ne '') {
        $place = if ($values.ContainsKey("$at/$flag")) { "$at/$flag" } else { "/$flag" }
        if (-not $values.ContainsKey($place)) { return }
        $found = $values[$place] | ForEach-Object { @{ Key = $_; Value = $_ } }
    }
    elseif ($word.StartsWith('-')) {
        $found = @($nodes[$at].Flags.GetEnumerator()) + @($everywhere.GetEnumerator())
    }
    else { $found = $nodes[$at].Entries.GetEnumerator() }
    $found | Where-Object { $_.Key.StartsWith($word) } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)
    }
}
`;
}

type Pair = readonly [name: string, help: string];

function flagPairs(flag: FlagSpec): Pair[] {
  return spellings(flag).map((spelling): Pair => [spelling, flag.help]);
}

function dictionary(pairs: readonly Pair[]): string {
  const members = pairs.map(([name, help]) => `${quoted(name)} = ${quoted(help)}`);
  return `[ordered]@{ ${members.join("; ")} }`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
