import { describeAll } from "./all.ts";
import { modelSubject } from "./model-client.ts";

describeAll(modelSubject);
