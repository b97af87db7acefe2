/** `--write-out=fields`: one `"Name" : value` a line. @see etcd etcdctl/ctlv3/command/printer_fields.go */
import { quoted } from "../../base/quote.ts";
import type { ResponseHeader } from "../../proto/tables/header.ts";
import type { KeyValue } from "../../proto/tables/key-value.ts";

/** A line. Text is shown as it is given. */
export function field(name: string, value: string | bigint | number | boolean): string {
  return `"${name}" : ${value}\n`;
}

/** A line with a string or bytes, in Go's `%q`. */
export function quotedField(name: string, value: string | Uint8Array): string {
  return field(name, quoted(typeof value === "string" ? Buffer.from(value) : value));
}

/** Four lines. What a server leaves out is 0. */
export function headerFields(header: ResponseHeader | undefined): string {
  const { clusterId = 0n, memberId = 0n, revision = 0n, raftTerm = 0n } = header ?? {};
  return (
    field("ClusterID", clusterId) +
    field("MemberID", memberId) +
    field("Revision", revision) +
    field("RaftTerm", raftTerm)
  );
}

/** Six lines. @param prefix  of each name: `Prev` of what was there before */
export function keyValueFields(kv: KeyValue, prefix: "" | "Prev" = ""): string {
  return (
    quotedField(`${prefix}Key`, kv.key) +
    field(`${prefix}CreateRevision`, kv.createRevision) +
    field(`${prefix}ModRevision`, kv.modRevision) +
    field(`${prefix}Version`, kv.version) +
    quotedField(`${prefix}Value`, kv.value) +
    field(`${prefix}Lease`, kv.lease)
  );
}
