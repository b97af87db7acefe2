/**
 * The data of a `.snap` file: JSON of what was etcd's store in version 2, a tree of paths. Of it etcd 3.4 and 3.5.1 to
 * 3.5.x take who belongs to the cluster:
 *
 *   /0/members/<hex id>/attributes        {"name","clientURLs"}
 *   /0/members/<hex id>/raftAttributes    {"peerURLs"[,"isLearner"]}
 *   /0/removed_members/<hex id>
 *   /0/version                            3.4.0
 *   /1                                    user data of version 2: empty
 *
 * Written as etcd 3.6 does, which has no such store any more: by making one and storing the members in it, one write
 * after the other. Every write has an index and is an event in a ring of a thousand.
 *
 * @see etcd server/etcdserver/api/v2store, membership/storev2.go
 */
import { utf8 } from "../base/bytes.ts";
import { goJson, parseObject, stringsOf } from "../base/go-json.ts";
import { attributesJson, type ClusterState } from "./cluster.ts";
import { ascending } from "./ids.ts";
import { decodeMemberId, type MemberRecord, shownMember } from "./member-record.ts";

/** A store that is written to goes through all of its slots: fewer would end etcd. */
const EVENTS = 1000;

interface Node {
  readonly path: string;
  /** Of the write that made it. Nothing is written twice here. */
  readonly index: number;
  readonly value: string;
  /** Undefined for a file. */
  readonly children: Map<string, Node> | undefined;
}

interface Write {
  readonly action: "create" | "set";
  readonly path: string;
  readonly value: string;
}

/** @param cluster  its members in the order of their ids. */
export function encodeV2Store(cluster: ClusterState): Uint8Array {
  const root = folder("/", 0);
  root.children?.set("0", folder("/0", 0)).set("1", folder("/1", 0));
  const writes = writesOf(cluster);
  for (const [i, write] of writes.entries()) put(root, write, i + 1);
  const count = (action: Write["action"]): number =>
    writes.filter((write) => write.action === action).length;

  const first = Math.max(0, writes.length - EVENTS);
  const events = writes.slice(first).map((write, i) => eventJson(write, first + i + 1));
  const size = events.length;
  while (events.length < EVENTS) events.push("null");
  const queue = `{"Events":[${events.join(",")}],"Size":${size},"Front":0,"Back":${size % EVENTS},"Capacity":${EVENTS}}`;
  const start = writes.length === 0 ? 0 : first + 1;
  const history = `{"Queue":${queue},"StartIndex":${start},"LastIndex":${writes.length}}`;
  const stats = STATS.map((name) => {
    const value =
      name === "createSuccess" ? count("create") : name === "setsSuccess" ? count("set") : 0;
    return `"${name}":${value}`;
  });
  return utf8(
    `{"Root":${nodeJson(root)},"WatcherHub":{"EventHistory":${history}},` +
      `"CurrentIndex":${writes.length},"Stats":{${stats.join(",")}},"CurrentVersion":2}`,
  );
}

const STATS = [
  "getsSuccess",
  "getsFail",
  "setsSuccess",
  "setsFail",
  "deleteSuccess",
  "deleteFail",
  "updateSuccess",
  "updateFail",
  "createSuccess",
  "createFail",
  "compareAndSwapSuccess",
  "compareAndSwapFail",
  "compareAndDeleteSuccess",
  "compareAndDeleteFail",
  "expireCount",
  "watchers",
];

function writesOf({ members, removed, version }: ClusterState): Write[] {
  const writes: Write[] = [];
  for (const member of members) {
    const path = `/0/members/${shownMember(member.id)}`;
    const raftAttributes = `{"peerURLs":${goJson(member.peerUrls)}${member.isLearner ? ',"isLearner":true' : ""}}`;
    writes.push({ action: "create", path: `${path}/raftAttributes`, value: raftAttributes });
    if (member.clientUrls.length > 0) {
      writes.push({ action: "set", path: `${path}/attributes`, value: attributesJson(member) });
    }
  }
  for (const id of removed) {
    writes.push({ action: "create", path: `/0/removed_members/${shownMember(id)}`, value: "" });
  }
  if (version !== undefined) writes.push({ action: "set", path: "/0/version", value: version });
  return writes;
}

function folder(path: string, index: number): Node {
  return { path, index, value: "", children: new Map() };
}

/** Makes the folders that are missing, at the same index. */
function put(root: Node, { path, value }: Write, index: number): void {
  const names = path.slice(1).split("/");
  const last = names.pop() as string;
  let at = root;
  for (const name of names) {
    const inside = at.children?.get(name) ?? folder(join(at.path, name), index);
    at.children?.set(name, inside);
    at = inside;
  }
  at.children?.set(last, { path, index, value, children: undefined });
}

function join(path: string, name: string): string {
  return path === "/" ? `/${name}` : `${path}/${name}`;
}

function nodeJson({ path, index, value, children }: Node): string {
  const inside = children && [...children].sort(([a], [b]) => (a < b ? -1 : 1));
  const childrenJson = inside?.map(([name, node]) => `${goJson(name)}:${nodeJson(node)}`).join(",");
  return (
    `{"Path":${goJson(path)},"CreatedIndex":${index},"ModifiedIndex":${index},` +
    `"ExpireTime":"0001-01-01T00:00:00Z","Value":${goJson(value)},` +
    `"Children":${childrenJson === undefined ? "null" : `{${childrenJson}}`}}`
  );
}

function eventJson({ action, path, value }: Write, index: number): string {
  const node = `{"key":${goJson(path)},"value":${goJson(value)},"modifiedIndex":${index},"createdIndex":${index}}`;
  return `{"action":"${action}","node":${node}}`;
}

/** @returns what the store says of the cluster, or what is wrong with it. Ids come from paths: JSON's numbers are shorter. */
export function decodeV2Store(bytes: Uint8Array): ClusterState | string {
  const json = parseObject(Buffer.from(bytes).toString());
  if (json === undefined) return "a store that is no JSON object";
  const cluster = childOf(json.Root, "0");
  if (cluster === undefined) return "a store without /0";
  const members: MemberRecord[] = [];
  for (const [name, node] of childrenOf(childOf(cluster, "members"))) {
    const id = decodeMemberId(utf8(name));
    if (id === undefined) return `/0/members/${name}: no member's id`;
    const raft = parseObject(textOf(childOf(node, "raftAttributes")) ?? "");
    if (raft === undefined) return `/0/members/${name}: no raftAttributes`;
    const attributes = parseObject(textOf(childOf(node, "attributes")) ?? "{}");
    if (attributes === undefined) return `/0/members/${name}: attributes that are no JSON`;
    members.push({
      id,
      name: typeof attributes.name === "string" ? attributes.name : "",
      peerUrls: stringsOf(raft.peerURLs),
      clientUrls: stringsOf(attributes.clientURLs),
      isLearner: raft.isLearner === true,
    });
  }
  const removed: bigint[] = [];
  for (const [name] of childrenOf(childOf(cluster, "removed_members"))) {
    const id = decodeMemberId(utf8(name));
    if (id === undefined) return `/0/removed_members/${name}: no member's id`;
    removed.push(id);
  }
  members.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { members, removed: ascending(removed), version: textOf(childOf(cluster, "version")) };
}

function childrenOf(node: unknown): [string, unknown][] {
  const children = fieldOf(node, "Children");
  return typeof children === "object" && children !== null ? Object.entries(children) : [];
}

function childOf(node: unknown, name: string): unknown {
  return fieldOf(fieldOf(node, "Children"), name);
}

function textOf(node: unknown): string | undefined {
  const value = fieldOf(node, "Value");
  return typeof value === "string" ? value : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
