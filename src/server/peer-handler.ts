/** What a peer URL answers: there are no peers, but tools ask it for the version and the members. */
import type { RequestListener } from "node:http";
import { ETCD_VERSION } from "../base/version.ts";
import type { Member } from "../engine/member.ts";

export function peerHandler(member: Member): RequestListener {
  return ({ method, url = "/" }, response) => {
    const body = url === "/version" ? version(member) : url === "/members" ? members(member) : "";
    response.setHeader("X-Etcd-Cluster-ID", member.cluster.id.toString(16));
    if (body === "") {
      response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
      response.end("404 page not found\n");
    } else if (method !== "GET") {
      response.writeHead(405, { "Content-Type": "text/plain; charset=utf-8", Allow: "GET" });
      response.end("Method Not Allowed\n");
    } else {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(body);
    }
  };
}

function version({ cluster }: Member): string {
  const etcdcluster = cluster.version ?? "not_decided";
  return JSON.stringify({ etcdserver: ETCD_VERSION, etcdcluster });
}

/** Ids with all their digits, as Go writes them. */
function members({ cluster }: Member): string {
  const shown = cluster.members.map(({ id, name, peerUrls, clientUrls }) => {
    const rest = JSON.stringify({ peerURLs: peerUrls, name, clientURLs: clientUrls });
    return `{"id":${id},${rest.slice(1)}`;
  });
  return `[${shown.join(",")}]\n`;
}
