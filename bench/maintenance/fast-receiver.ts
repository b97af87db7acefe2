/**
 * Takes a snapshot as fast as the server sends it, and throws it away: `fast-receiver.js PORT`. What etcdctl's own work
 * is, writing and syncing a file, is not in what this takes.
 */
import { RawClient } from "../wire/raw-client.ts";

const EMPTY_MESSAGE = Buffer.alloc(5);

const client = await RawClient.open(Number(process.argv[2]));
let taken = 0;
await new Promise<void>((ended) => {
  client.call("/etcdserverpb.Maintenance/Snapshot", EMPTY_MESSAGE, true, {
    data: (bytes) => {
      taken += bytes;
    },
    message: () => undefined,
    ended,
  });
});
const { failure } = client;
client.close();
if (failure !== undefined || taken === 0) throw new Error(`${failure} after ${taken} bytes`);
