#!/usr/bin/env node
import { runProcess } from "../../console/process.ts";
import { ETCDCTL } from "../etcdctl.ts";

await runProcess(ETCDCTL);
