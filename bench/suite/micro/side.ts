/** The program that answers for one small piece of work, so that each has a process of its own. */
import { SIDE } from "../../store/alternate.ts";
import { answerMicro, type MicroAsk } from "./answer.ts";
import { CASES } from "./cases.ts";

const [first, question = ""] = process.argv.slice(2);
if (first !== SIDE) throw new Error(`npm run bench starts this with ${SIDE}`);
process.stdout.write(JSON.stringify(await answerMicro(CASES, JSON.parse(question) as MicroAsk)));
