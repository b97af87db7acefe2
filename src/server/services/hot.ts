/** The services that nearly every call is about. The others: long-tail.ts. */
import type { Service } from "../../grpc/service.ts";
import { kvService } from "./kv.ts";
import { leaseService } from "./lease.ts";
import type { ServiceContext } from "./service-context.ts";
import { watchService } from "./watch.ts";

export function hotServices(context: ServiceContext): Service[] {
  return [kvService(context), watchService(context), leaseService(context)];
}
