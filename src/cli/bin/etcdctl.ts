#!/usr/bin/env node
import { runProcess } from "../../console/process.ts";
import { ETCDCTL } from "../etcdctl.ts";
import { rawArguments } from "../raw-arguments.ts";

await runProcess(ETCDCTL, rawArguments(process.argv.slice(2)));
