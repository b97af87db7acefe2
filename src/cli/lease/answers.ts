/** The answers of the lease commands. Their JSON and fields are etcd's client structs: the header's members among theirs. */
import { reasonOf } from "../../base/errors.ts";
import { parseGoInt } from "../../base/go-int.ts";
import { EXIT_BAD_ARGS, EXIT_BAD_CONNECTION } from "../../console/exit-codes.ts";
import { explain, Failure } from "../../console/failure.ts";
import { RESPONSE_HEADER, type ResponseHeader } from "../../proto/tables/header.ts";
import type { LeaseKeepAliveResponse } from "../../proto/tables/lease.ts";
import { encode } from "../../proto/tables/message-table.ts";
import { field, headerFields } from "../print/fields.ts";
import { goJsonMembers } from "../print/go-json.ts";
import { leaseIdText } from "../print/ids.ts";
import type { Views } from "../print/print.ts";

type Header = ResponseHeader | undefined;

/** A line of the header's members, then these, zero or not. */
export function leaseJson(header: Header, members: Readonly<Record<string, string>>): string {
  const flat = header === undefined ? [] : goJsonMembers(RESPONSE_HEADER, header);
  const own = Object.entries(members).map(([name, json]) => `"${name}":${json}`);
  return `{${[...flat, ...own].join(",")}}\n`;
}

/** etcdctl prints no more of a lease's answers in this form. */
export function headerBytes(header: Header): Uint8Array {
  return encode(RESPONSE_HEADER, header ?? {});
}

export function keepAliveViews({ header, id, ttl }: LeaseKeepAliveResponse): Views {
  return {
    simple: () => `lease ${leaseIdText(id)} keepalived with TTL(${ttl})\n`,
    fields: () => headerFields(header) + field("ID", id) + field("TTL", ttl),
    json: () => leaseJson(header, { ID: String(id), TTL: String(ttl) }),
    protobuf: () => headerBytes(header),
  };
}

/** @throws Failure 128 */
export function leaseArgument(text: string): bigint {
  try {
    return parseGoInt(text, 16);
  } catch (error) {
    const what = `bad lease ID arg (${reasonOf(error)}), expecting ID in Hex`;
    throw new Failure(EXIT_BAD_ARGS, what, { cause: error });
  }
}

/** @throws Failure with the call's error in etcdctl's sentence, or as it is */
export async function calling<T>(
  work: Promise<T>,
  exitCode: number = EXIT_BAD_CONNECTION,
  sentence: (why: string) => string = (why) => why,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const why = explain(error);
    if (why === undefined) throw error;
    throw new Failure(exitCode, sentence(why), { cause: error });
  }
}
