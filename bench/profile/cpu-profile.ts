/** What `node --cpu-prof` leaves, as a tree of functions with times. */
import { readFileSync } from "node:fs";

/** As Node and the browser's tools have it. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds. */
  readonly startTime: number;
  readonly endTime: number;
  /** Ids of nodes, and the microseconds before each. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

export interface CallFrame {
  readonly functionName: string;
  /** "" for what is not JavaScript. */
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** A function as it was called from its parent. */
export interface Called {
  readonly frame: CallFrame;
  readonly selfUs: number;
  /** With everything that it called. */
  readonly totalUs: number;
  /** The most expensive first. */
  readonly children: readonly Called[];
}

/** @throws Error if the file is no profile, as when its process was killed while it wrote */
export function readProfile(path: string): CpuProfile {
  const profile = JSON.parse(readFileSync(path, "utf8")) as Partial<CpuProfile>;
  const { nodes, samples, timeDeltas, startTime, endTime } = profile;
  if (!nodes || !samples || !timeDeltas || startTime === undefined || endTime === undefined) {
    throw new Error(`${path} is not a CPU profile`);
  }
  return { nodes, samples, timeDeltas, startTime, endTime };
}

/** Time in which nothing is done: the loop is empty, or the thread waits for another one or for a process. */
function isWaiting({ functionName, url }: CallFrame): boolean {
  return (
    functionName === "(idle)" ||
    (functionName === "spawnSync" && url === "node:internal/child_process") ||
    (functionName === "wait" && url === "") ||
    // Where piscina's threads wait for work; Atomics.wait is compiled into it.
    (functionName === "atomicsWaitLoop" && url.includes("/piscina/"))
  );
}

/** The tree below the root, without the time that was only waited; equal functions below one parent are one. */
export function callTree({ nodes, samples, timeDeltas }: CpuProfile): Called {
  const self = new Map<number, number>();
  for (const [i, id] of samples.entries()) {
    // Clocks of two cores may differ by a little.
    self.set(id, (self.get(id) ?? 0) + Math.max(timeDeltas[i] ?? 0, 0));
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const called = (same: readonly ProfileNode[]): Called => {
    const [first] = same;
    if (first === undefined) throw new Error("a profile without a root");
    const children = new Map<string, ProfileNode[]>();
    for (const child of same.flatMap((node) => node.children ?? [])) {
      const node = byId.get(child);
      if (node === undefined) continue;
      const of = frameKey(node.callFrame);
      children.set(of, [...(children.get(of) ?? []), node]);
    }
    const below = [...children.values()].map(called).filter(({ totalUs }) => totalUs > 0);
    below.sort((a, b) => b.totalUs - a.totalUs);
    const selfUs = isWaiting(first.callFrame)
      ? 0
      : same.reduce((sum, { id }) => sum + (self.get(id) ?? 0), 0);
    const totalUs = below.reduce((sum, child) => sum + child.totalUs, selfUs);
    return { frame: first.callFrame, selfUs, totalUs, children: below };
  };
  return called(nodes.slice(0, 1));
}

/** Equal for calls of one function. */
export function frameKey({ functionName, url, lineNumber, columnNumber }: CallFrame): string {
  return `${functionName} ${url} ${lineNumber} ${columnNumber}`;
}

export interface SelfTime {
  readonly frame: CallFrame;
  readonly selfUs: number;
}

/** By function, wherever it was called from; the most expensive first. */
export function selfTimes(tree: Called): SelfTime[] {
  const times = new Map<string, { frame: CallFrame; selfUs: number }>();
  const visit = ({ frame, selfUs, children }: Called): void => {
    const key = frameKey(frame);
    const time = times.get(key) ?? { frame, selfUs: 0 };
    time.selfUs += selfUs;
    times.set(key, time);
    for (const child of children) visit(child);
  };
  visit(tree);
  return [...times.values()].filter(({ selfUs }) => selfUs > 0).sort((a, b) => b.selfUs - a.selfUs);
}
