#!/usr/bin/env node
import { runProcess } from "../../console/process.ts";
import { ETCDUTL } from "../etcdutl.ts";

await runProcess(ETCDUTL);
