/** strata's integrity check of a running server, by its own call: there is no command for it in etcdctl. */
import { FieldReader } from "../../src/proto/protobuf.ts";
import { framed } from "../wire/frames.ts";
import { RawClient } from "../wire/raw-client.ts";

const PATH = "/stratapb.Maintenance/CheckIntegrity";
/** Of CheckIntegrityResponse. */
const REPORT = 3;
/** Of IntegrityReport. */
const FAULT_COUNT = 1;
const NO_ARGUMENTS = framed(new Uint8Array(0));

/**
 * One check after another until the time is over; the last one is broken off, unless it is the first.
 * @returns what each took that came to its end, in milliseconds
 * @throws (rejects) Error if there are faults, or no report
 */
export async function checkAgain(port: number, over: AbortSignal): Promise<number[]> {
  const took: number[] = [];
  const ended = new Promise<"over">((resolve) => {
    over.addEventListener("abort", () => resolve("over"));
  });
  do {
    const startMs = performance.now();
    const client = await RawClient.open(port);
    const checked = check(client);
    const faults = await (took.length === 0 ? checked : Promise.race([checked, ended]));
    client.close();
    if (faults === "over") break;
    if (faults !== 0) throw new Error(`${faults ?? "no report, but"} faults: ${client.failure}`);
    took.push(performance.now() - startMs);
  } while (!over.aborted);
  return took;
}

function check(client: RawClient): Promise<number | undefined> {
  return new Promise((resolve) => {
    let faults: number | undefined;
    client.call(PATH, NO_ARGUMENTS, true, {
      message: (bytes, start, end) => {
        faults = faultsIn(bytes, start, end) ?? faults;
      },
      ended: () => resolve(faults),
    });
  });
}

/** Undefined in a message that has only progress. */
function faultsIn(bytes: Buffer, start: number, end: number): number | undefined {
  const response = new FieldReader().open(bytes, start, end);
  while (response.next()) {
    if (response.field !== REPORT) continue;
    const report = new FieldReader().open(bytes, response.start, response.start + response.length);
    while (report.next()) if (report.field === FAULT_COUNT) return report.number;
    return 0;
  }
  return undefined;
}
