/** A result as a file has it, checked field by field: what it leaves out or spells differently is named. */
import { readFileSync } from "node:fs";
import type { Machine } from "../support/machine.ts";
import type { Spread } from "../support/report.ts";
import { JsonField } from "./json-field.ts";
import { type Goal, GROUPS, OURS } from "./question.ts";
import {
  type PeerFound,
  type QuestionResult,
  RESULT_VERSION,
  type SideResult,
  type SizeResult,
  type SuiteResult,
} from "./result.ts";
import { UsageError } from "./usage-error.ts";

/** @throws UsageError with the file, and the field that is wrong */
export function readResult(path: string): SuiteResult {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : error}`);
  }
  return parseResult(text, path);
}

/** @param path  for the words of an error. @throws UsageError */
export function parseResult(text: string, path: string): SuiteResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  return suite(new JsonField(json, "", path));
}

function suite(field: JsonField): SuiteResult {
  const version = field.of("version").oneOf(RESULT_VERSION);
  return {
    version,
    at: field.of("at").string(),
    smoke: field.of("smoke").boolean(),
    strata: field.of("strata").string(),
    machine: machine(field.of("machine")),
    peers: field.of("peers").record(peerFound),
    questions: field.of("questions").list(question),
  };
}

function machine(field: JsonField): Machine {
  const fdatasync = field.of("fdatasync");
  const why = field.optional("why", (of) => of.string());
  return {
    cpu: field.of("cpu").string(),
    cores: field.of("cores").number(),
    memoryBytes: field.of("memoryBytes").number(),
    kernel: field.of("kernel").string(),
    fileSystem: field.of("fileSystem").string(),
    node: field.of("node").string(),
    go: field.optional("go", (of) => of.string()),
    bbolt: field.optional("bbolt", (of) => of.string()),
    ...(why !== undefined && { why }),
    fdatasync: {
      medianUs: fdatasync.of("medianUs").number(),
      p99Us: fdatasync.of("p99Us").number(),
    },
  };
}

function peerFound(field: JsonField): PeerFound {
  const missing = field.optional("missing", (of) => of.string());
  return missing === undefined ? { version: field.of("version").string() } : { missing };
}

function question(field: JsonField): QuestionResult {
  const sizes = field.of("sizes").list(sizeResult);
  if (sizes.length === 0) throw field.of("sizes").wrong("a list of one size or more");
  const found = field.optional("goal", goal);
  return {
    name: field.of("name").string(),
    group: field.of("group").oneOf(...GROUPS),
    about: field.of("about").string(),
    unit: field.of("unit").string(),
    better: field.of("better").oneOf("more", "less"),
    durability: field.of("durability").string(),
    ...(found !== undefined && { goal: found }),
    sizes,
  };
}

function goal(field: JsonField): Goal {
  const kind = field.of("kind").oneOf("ratio", "value");
  const atMost = field.optional("atMost", (of) => of.number());
  if (kind === "value" && atMost !== undefined) return { kind, atMost };
  const atLeast = field.of("atLeast").number();
  return kind === "value" ? { kind, atLeast } : { kind, peer: field.of("peer").string(), atLeast };
}

function sizeResult(field: JsonField): SizeResult {
  const size = field.of("size");
  const sides = field.of("sides").list(side);
  if (sides[0]?.name !== OURS) throw field.of("sides").wrong(`a list that begins with ${OURS}`);
  const digest = field.optional("digest", (of) => of.string());
  return {
    size: {
      label: size.of("label").string(),
      keys: size.of("keys").number(),
      valueBytes: size.of("valueBytes").number(),
    },
    sides,
    ratios: field.of("ratios").record(spreadOf),
    ...(digest !== undefined && { digest }),
  };
}

function side(field: JsonField): SideResult {
  const name = field.of("name").string();
  const missing = field.optional("missing", (of) => of.string());
  if (missing !== undefined) return { name, missing };
  const values = field.of("values").list((of) => of.number());
  if (values.length === 0) throw field.of("values").wrong("a list of one number or more");
  return {
    name,
    values,
    spread: spreadOf(field.of("spread")),
    beside: field.of("beside").record((of) => of.number()),
  };
}

function spreadOf(field: JsonField): Spread {
  return {
    median: field.of("median").number(),
    min: field.of("min").number(),
    max: field.of("max").number(),
  };
}
