/** What every command of the inspection is handed. */
import { type Json, jsonFields } from "../../base/json.ts";
import type { ProgressWriter } from "../progress.ts";
import type { Faults } from "./faults.ts";
import type { Output } from "./output.ts";
import type { Show } from "./show.ts";

export interface Context {
  readonly path: string;
  readonly out: Output;
  readonly json: boolean;
  readonly show: Show;
  readonly faults: Faults;
  readonly progress: ProgressWriter;
}

/** Writes fields of the report's one JSON object, behind those that the report began with. */
export function writeFields(
  { out }: Context,
  fields: { readonly [name: string]: Json | undefined },
): void {
  const text = jsonFields(fields);
  if (text !== "") out.write(`,${text}`);
}

/** Writes a list of the report's object, element by element as `write` hands them over. */
export function writeList(
  { out }: Context,
  name: string,
  write: (element: (json: string) => void) => void,
): void {
  out.write(`,${JSON.stringify(name)}:[`);
  let first = true;
  write((json) => {
    out.write(first ? json : `,${json}`);
    first = false;
  });
  out.write("]");
}
