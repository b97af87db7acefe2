/**
 * What stands in the way of the goals that are missed. Each from a profile (`npm run profile -- QUESTION`), or from what
 * the machine does without strata.
 */
import type { Limit } from "./goal-page.ts";

export const LIMITS: readonly Limit[] = [
  {
    names: /^page-file\/bulk-load$/,
    why: "on the line: two thirds of the time are fdatasync and write, and the disk differs by the hour.",
  },
  {
    names: /^page-file\/random-10000/,
    why: "writing is 30 % of the time and fdatasync 27, which bbolt has, too; reading the pages that are to change, which it has mapped, is 21 %, and the collector 6. Keeping more in the cache, and reading around, was measured and is slower: fresh memory costs more than reading again.",
  },
  {
    names: /^page-file\/random-100/,
    why: "two syncs, and two hundred pages read and two hundred written at places of their own for each hundred puts: each of them goes through Node, at 2 to 3 µs beside the system's own time, and bbolt reads none of them, for it has the file mapped. fdatasync is 45 % of the time, writing 26 and reading 15.",
  },
  {
    names: /^page-file\/random-get/,
    why: "misses of the processor's caches on branch pages (`findInBranch`, `findInLeaf` and `#getBelow` are 80 %), as bbolt's; where it is cold, each page is read by a system call that a mapping does not need. Warm, 1.01 (0.70–1.10) in an earlier run.",
  },
  {
    names: /^store\/puts\/1$/,
    why: "of some 200 µs that a put takes the sync has 150 to 165, where the bare loop's takes 135 to 150 with nothing done in between, the write 7, and everything else 35 to 40: JavaScript that is cold after each wait: a thousand callers, who keep it warm, take 8.5 for all of a put. One sync in a hundred takes 0.5 to 1 ms, beside those of the page file.",
  },
  {
    names: /^store\/gets\/warm$/,
    why: "the hour: in an earlier run it was 557,479, and that build and this one, in turns, are equal at some 700,000 of a smaller store. lmdb was slower by an eighth, too.",
  },
  {
    names: /^store\/loop\//,
    why: "a collection of V8's, whose parallel parts share two busy processors.",
  },
  {
    names: /^server\/puts\/1x1$/,
    why: "with one request at a time there are five system calls to a put and nothing to hide them: a server that does nothing takes 0.04 to 0.07 ms for the round trip through Node's event loop, the disk 0.1 and more, and both servers wait for the same disk. 1.38 (1.10–1.40) in an earlier run.",
  },
  {
    names: /^server\/gets\/1x1$/,
    why: "a server that does nothing at all takes 0.04 to 0.07 ms here for the round trip through Node's event loop, where etcd takes 0.2 for the whole of it.",
  },
  {
    names: /^server\/puts\//,
    why: "a hundred puts under way wait for a sync in two groups of fifty; the main thread is busy for two thirds of the time and `h2load` for a little less than half, so that 60 of 200 % of the processors were idle in a look at 10 × 10. For the same CPU strata answers 2.9 to 3.4 times as many.",
  },
  {
    names: /^server\/watch-fan-out$/,
    why: "the client that takes the events fills a processor of its own, and with him the writer's next put has to wait; an event costs our server 1.1 µs of CPU and etcd 4.2. 2.84 (2.45–3.09) in an earlier run.",
  },
  {
    names: /^maintenance\/snapshot\//,
    why: "whoever takes the snapshot, the command and its disk, is the limit: sent and thrown away it goes at 763 MB/s, three times etcd's speed. 2.2 times in a quicker hour of the same machine. Ours compares the SHA-256 while it saves, which the real one does only when it restores.",
  },
  {
    names: /^maintenance\//,
    why: "the stalls are there when nothing runs, too: collections of V8 (3 to 12 ms, some 20 to 70 on two busy processors), syncs of the log of 5 to 60 ms beside those of the page file, and pages that this machine's kernel has dropped from its memory after 30 idle seconds.",
  },
  {
    names: /^commands\/start-up\//,
    why: "Node with nothing to do takes 25 to 35 ms, more than the whole of the real command. In a quick hour, by a CPU profile: 62 ms in all, 25 of them Node alone, 8 for reading the command line, 10 for loading `node:http2` and what it needs, 6 in collections of V8, 12 for the connection, the call and its end.",
  },
];
