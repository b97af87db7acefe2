#!/usr/bin/env node
import { runProcess } from "../../console/process.ts";
import { STRATA } from "../strata.ts";

await runProcess(STRATA);
