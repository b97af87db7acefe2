/** What it costs to have strata: bytes of a production install, and the time that an import takes. */
import { scratchFolder } from "../../../test/support/cleanup.ts";
import { type InstallFigure, install, linkCheckout, measureImport } from "../../store/install.ts";
import { type Answer, type AskContext, OURS, type Size, type SuiteQuestion } from "../question.ts";
import { Once, ROUNDS } from "./support.ts";

const SIZE: Size = { label: "the package and what it needs", keys: 0, valueBytes: 0 };
/** From the checkout: to pack and to install takes npm its time. */
const SMOKE_SIZE: Size = { label: "the package alone", keys: 0, valueBytes: 0 };
/** Of the import, in each round of the suite: one is soon over. */
const IMPORTS = 5;

const installs = new Once<InstallFigure & { readonly app: string }>();
const links = new Once<ReturnType<typeof linkCheckout>>();

function installed(): Promise<InstallFigure & { readonly app: string }> {
  return installs.get("", () => install(scratchFolder("bench-install")));
}

function linked(): Promise<ReturnType<typeof linkCheckout>> {
  return links.get("", () => linkCheckout(scratchFolder("bench-install")));
}

async function bytesOf({ smoke }: AskContext): Promise<Answer> {
  if (smoke) {
    const { ownBytes, ownFiles } = await linked();
    return { value: ownBytes / 1e6, beside: { files: ownFiles } };
  }
  const { allBytes, allFiles, ownBytes, packedBytes, packages } = await installed();
  return {
    value: allBytes / 1e6,
    beside: {
      "its own MB": ownBytes / 1e6,
      "packed MB": packedBytes / 1e6,
      files: allFiles,
      packages,
    },
  };
}

const bytes: SuiteQuestion = {
  name: "store/install",
  group: "store in a process",
  about: "what a production install has on the disk",
  unit: "MB",
  better: "less",
  durability: "",
  rounds: 1,
  warmsUpItself: true,
  sizes: [SIZE],
  smokeSize: SMOKE_SIZE,
  subjects: (_, context) => ({ entries: [{ name: OURS, run: () => bytesOf(context) }] }),
};

const importing: SuiteQuestion = {
  name: "store/import",
  group: "store in a process",
  about: "import of the installed package, by the clock of the process that does it",
  unit: "ms",
  better: "less",
  durability: "",
  rounds: ROUNDS,
  warmsUpItself: true,
  sizes: [SIZE],
  smokeSize: SMOKE_SIZE,
  subjects: (_, context) => ({
    entries: [
      {
        name: OURS,
        run: async () => {
          const { app } = await (context.smoke ? linked() : installed());
          const took = await measureImport(app, context.smoke ? 1 : IMPORTS);
          return {
            value: took.importMs.median,
            beside: {
              "the process ms": took.processMs.median,
              "an empty process ms": took.emptyMs.median,
            },
          };
        },
      },
    ],
  }),
};

export const STORE_INSTALL: readonly SuiteQuestion[] = [bytes, importing];
