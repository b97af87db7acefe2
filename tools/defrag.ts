#!/usr/bin/env node
import { runProcess } from "../src/console/process.ts";
import { STRATA_DEFRAG } from "./defrag-program.ts";

await runProcess(STRATA_DEFRAG);
