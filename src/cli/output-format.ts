/** `--write-out`. @see etcd etcdctl/ctlv3/command/printer.go NewPrinter */
import { EXIT_BAD_FEATURE } from "../console/exit-codes.ts";
import { Failure } from "../console/failure.ts";
import type { FlagSpec } from "../console/flags.ts";

const FORMATS = ["simple", "json", "table", "fields", "protobuf"] as const;
export type OutputFormat = (typeof FORMATS)[number];

export const WRITE_OUT: FlagSpec = {
  name: "write-out",
  short: "w",
  kind: "string",
  default: "simple",
  help: "output format: fields, json, protobuf, simple, table",
  values: FORMATS,
};

/** @throws Failure for a format that no command has */
export function checkOutputFormat(text: string): void {
  if (FORMATS.some((format) => format === text)) return;
  throw new Failure(EXIT_BAD_FEATURE, "unsupported output format");
}

/** @throws Failure with etcd's text: of the formats there are, a command may offer some only */
export function outputFormat<Offered extends OutputFormat>(
  text: string,
  offered: readonly Offered[],
): Offered {
  const here = offered.find((format) => format === text);
  if (here !== undefined) return here;
  checkOutputFormat(text);
  throw new Failure(EXIT_BAD_FEATURE, `${text} not supported as output format`);
}
