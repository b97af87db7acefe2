/** What a key costs in the key index, in a process that does nothing else: `key-index-memory.js KEYS`. */
import { measureMemory } from "./key-index.ts";

process.stdout.write(JSON.stringify(measureMemory(Number(process.argv[2]))));
