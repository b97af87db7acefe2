/** The flags that say who a new cluster's members are. @see etcd server/config/config.go VerifyBootstrap */
import { EXIT_ERROR } from "../../console/exit-codes.ts";
import { Failure } from "../../console/failure.ts";
import type { FlagSpec, FlagValues } from "../../console/flags.ts";
import type { NewCluster } from "../../jobs/snapshot-restore.ts";

export const CLUSTER_FLAGS: readonly FlagSpec[] = [
  { name: "name", kind: "string", default: "default", help: "name of this member" },
  {
    name: "initial-cluster",
    kind: "string",
    default: "default=http://localhost:2380",
    help: "all members that the new cluster begins with: name=peer URL, with commas between them",
  },
  {
    name: "initial-cluster-token",
    kind: "string",
    default: "etcd-cluster",
    help: "what tells this cluster from others; the same for all its members",
  },
  {
    name: "initial-advertise-peer-urls",
    kind: "string",
    default: "http://localhost:2380",
    help: "this member's peer URLs, as they stand in --initial-cluster",
  },
];

/** @throws (rejects) Failure in etcd's words */
export async function newClusterOf(flags: FlagValues): Promise<NewCluster> {
  // What a server is configured with, and no part of a server.
  const { assertAdvertised, namedPeerUrls } = await import(
    "../../server/config/initial-cluster.ts"
  );
  const { ConfigError } = await import("../../server/config/settings.ts");
  const { UrlError, urlList } = await import("../../server/config/url-list.ts");
  const name = flags.text("name");
  try {
    const advertised = urlList(flags.text("initial-advertise-peer-urls"));
    const cluster = namedPeerUrls(flags.text("initial-cluster"));
    if (!cluster.has(name)) {
      const what = `couldn't find local name ${JSON.stringify(name)} in the initial cluster configuration`;
      throw new Failure(EXIT_ERROR, what);
    }
    await assertAdvertised(name, advertised, cluster);
    const members = [...cluster].map(([called, urls]) => ({
      name: called,
      peerUrls: urls.map(({ text }) => text).sort(),
    }));
    refuseDuplicates(members);
    return { name, members, token: flags.text("initial-cluster-token") };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof UrlError)) throw error;
    throw new Failure(EXIT_ERROR, error.message);
  }
}

function refuseDuplicates(members: NewCluster["members"]): void {
  const urls = members.flatMap(({ peerUrls }) => peerUrls);
  if (new Set(urls).size === urls.length) return;
  const pairs = members.flatMap(({ name, peerUrls }) => peerUrls.map((url) => `${name}=${url}`));
  throw new Failure(EXIT_ERROR, `initial cluster ${pairs.sort().join(",")} has duplicate url`);
}
