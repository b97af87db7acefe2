/** The forms of an answer. A command offers some of them, and etcd's words refuse the rest. */
import type { Writable } from "node:stream";
import { type OutputFormat, outputFormat } from "../output-format.ts";

type Shown = string | Uint8Array | Promise<string>;

/** What is printed in each form, made when it is asked for. Text ends its own lines. */
export type Views = Readonly<Partial<Record<OutputFormat, () => Shown>>>;

/** @throws Failure if there is no view in that form */
export async function print(
  { stdout }: { readonly stdout: Writable },
  format: string,
  views: Views,
): Promise<void> {
  const offered = Object.keys(views) as OutputFormat[];
  const view = views[outputFormat(format, offered)];
  if (view !== undefined) stdout.write(await view());
}
