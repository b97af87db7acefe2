/** The blocks of README and docs that show a terminal, and the test that types each: a block that is not here fails. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "../..");

/** README and everything below `docs`, by their paths. */
export const PAGES: readonly string[] = ["README.md", "native-free/README.md"]
  .concat(
    ["docs", "examples"].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
        .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
        .filter((path) => !path.includes("node_modules")),
    ),
  )
  .sort();

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

export interface Step {
  readonly command: string;
  /** Empty: whatever it says will do. */
  readonly says: readonly string[];
  /** It goes on until it has said that, and is interrupted: `^C` is the last line. */
  readonly interrupted: boolean;
}

/** The blocks of a page in one of these languages, in order. */
export function blocksOf(page: string, languages: string): string[] {
  const fence = new RegExp(`^\`\`\`(?:${languages})\\n([\\s\\S]*?)^\`\`\``, "gm");
  return [...readPage(page).matchAll(fence)].map(([, block = ""]) => block);
}

/** A line that begins with `$ ` is typed, the lines after it are what it says. */
export function stepsOf(block: string): Step[] {
  const steps: { command: string; says: string[] }[] = [];
  for (const line of block.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), says: [] });
    else if (steps.length === 0) throw new Error(`what is said before a command? ${line}`);
    else steps.at(-1)?.says.push(line);
  }
  return steps.map(({ command, says }) => {
    const interrupted = says.at(-1) === "^C";
    return { command, says: interrupted ? says.slice(0, -1) : says, interrupted };
  });
}

export interface Accounted {
  readonly page: string;
  /** What the block begins with. */
  readonly opens: string;
  readonly typedBy: string;
}

export const CONSOLE_TEST = "test/docs-console.test.ts";
const GROWING_TEST = "test/e2e/growing.test.ts";
const INSTALL_TEST = "examples/install.sh";

function typed(page: string, opens: string, typedBy: string = CONSOLE_TEST): Accounted {
  return { page, opens, typedBy };
}

/** In the order of the pages, and in each of its blocks. */
export const ACCOUNTED: readonly Accounted[] = [
  typed("README.md", "$ strata --data-dir demo.etcd 2>strata.log &"),
  typed("docs/embedding.md", "$ npm pack --pack-destination /tmp", INSTALL_TEST),
  typed("docs/etcdctl.md", "$ etcdctl put /config/color blue"),
  ...[
    "etcdctl --endpoints=127.0.0.1:2379 snapshot save backup.db",
    "etcdutl snapshot restore backup.db --name=m1",
    "etcd --name=m1",
    "etcdctl --endpoints=10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379 endpoint hashkv",
    "$ etcdctl --endpoints=127.0.0.1:2379 make-mirror",
    "$ etcdctl --endpoints=10.0.0.2:2379 make-mirror",
    "etcdctl --endpoints=10.0.0.2:2379 snapshot save cluster.db",
    "etcdutl snapshot restore backup.db --data-dir=later.etcd",
  ].map((opens) => typed("docs/growing.md", opens, GROWING_TEST)),
  ...[
    "$ systemctl start strata",
    "$ etcdctl put color blue",
    "$ etcdctl snapshot save",
    "$ systemctl stop strata\n$ etcdutl snapshot restore",
    "$ systemctl stop strata\n$ strata-inspect",
    "$ etcdutl snapshot restore",
  ].map((opens) => typed("docs/operations.md", opens)),
  typed("docs/server.md", "$ etcdctl put greeting hello"),
];
