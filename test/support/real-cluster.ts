/** A real etcd cluster on loopback. Tests that start one stand under `describeWithPeers(name, ["etcd"], …)`. */
import { join } from "node:path";
import { scratchFolder } from "./cleanup.ts";
import { loopbackPorts } from "./loopback-ports.ts";
import { ServerProcess } from "./server-process.ts";

/** Where a member is going to be: known before it starts, for whoever makes its data dir. */
export interface PlannedMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** `http://127.0.0.1:12345` */
  readonly peerUrl: string;
  /** Starts on what lies there, if anything does. */
  readonly dataDir: string;
}

export interface ClusterPlan {
  readonly members: readonly PlannedMember[];
  /** `--initial-cluster` */
  readonly initialCluster: string;
}

export async function planCluster(
  names: readonly string[] = ["m1", "m2", "m3"],
): Promise<ClusterPlan> {
  const ports = await loopbackPorts(2 * names.length);
  const folder = scratchFolder("cluster");
  const members = names.map((name, i): PlannedMember => {
    const [clientPort = 0, peerPort = 0] = ports.slice(2 * i);
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    return { name, clientPort, peerPort, peerUrl, dataDir: join(folder, name) };
  });
  return {
    members,
    initialCluster: members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(","),
  };
}

export class RealCluster implements AsyncDisposable {
  /** In the order of the plan. */
  readonly members: readonly ServerProcess[];
  /** All of them, as `--endpoints` takes them. */
  readonly endpoints: string;

  private constructor(members: readonly ServerProcess[]) {
    this.members = members;
    this.endpoints = members.map(({ endpoint }) => endpoint).join(",");
  }

  /**
   * Starts all members of the plan, and waits until each of them serves.
   * @param flags  further ones, of each member
   * @throws Error with the end of a member's log if it is not ready in time; none runs then
   */
  static async start(plan?: ClusterPlan, flags: readonly string[] = []): Promise<RealCluster> {
    const { members, initialCluster } = plan ?? (await planCluster());
    const started = await Promise.allSettled(
      members.map(({ name, clientPort, peerPort, dataDir }) =>
        ServerProcess.start({
          kind: "etcd",
          ports: { client: clientPort, peer: peerPort },
          flags: [
            ...["--name", name, "--data-dir", dataDir, "--initial-cluster", initialCluster],
            // Loopback is quick: an election must not take a second.
            ...["--heartbeat-interval=50", "--election-timeout=500"],
            ...flags,
          ],
        }),
      ),
    );
    const running = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const failed = started.find((one) => one.status === "rejected");
    if (failed === undefined) return new RealCluster(running);
    await Promise.all(running.map((member) => member.stop("SIGKILL")));
    throw failed.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop("SIGKILL")));
  }
}
