/** etcdctl's global flags: those of 3.4, 3.5 and 3.6. @see etcd etcdctl/ctlv3/ctl.go */
import { EXIT_ERROR } from "../console/exit-codes.ts";
import { BareFailure } from "../console/failure.ts";
import type { FlagSpec } from "../console/flags.ts";
import type { Io } from "../console/io.ts";
import { WRITE_OUT } from "./output-format.ts";

const path = (name: string, help: string): FlagSpec => ({
  name,
  kind: "string",
  default: "",
  help,
});
const duration = (name: string, text: string, help: string): FlagSpec => ({
  name,
  kind: "duration",
  default: text,
  help,
});
const toggle = (name: string, on: boolean, help: string): FlagSpec => ({
  name,
  kind: "bool",
  default: String(on),
  help,
});

export const ETCDCTL_GLOBAL_FLAGS: readonly FlagSpec[] = [
  { name: "endpoints", kind: "list", default: "127.0.0.1:2379", help: "gRPC endpoints" },
  WRITE_OUT,
  toggle("hex", false, "print byte strings as hex encoded strings"),
  duration("dial-timeout", "2s", "dial timeout for client connections"),
  duration("command-timeout", "5s", "timeout for a short running command, dialling excluded"),
  duration("keepalive-time", "2s", "keepalive time for client connections"),
  duration("keepalive-timeout", "6s", "keepalive timeout for client connections"),
  toggle("insecure-transport", true, "no transport security for client connections"),
  toggle("insecure-skip-tls-verify", false, "accept any certificate of the server: for tests only"),
  toggle("insecure-discovery", true, "accept SRV records that describe insecure endpoints"),
  path("cert", "this client's TLS certificate file"),
  path("key", "this client's TLS key file"),
  path("cacert", "CA bundle that certificates of TLS servers are verified with"),
  path("user", "username[:password] to authenticate with (asked for if there is no password)"),
  path("password", "password to authenticate with; --user is taken whole then"),
  { ...path("discovery-srv", "domain name to query for SRV records of endpoints"), short: "d" },
  path("discovery-srv-name", "service name to query when DNS discovery is used"),
  toggle("debug", false, "client-side debug logging"),
  {
    name: "max-request-bytes",
    kind: "int",
    default: "0",
    help: "most bytes of a request; 0 is 2 MiB",
  },
  {
    name: "max-recv-bytes",
    kind: "int",
    default: "0",
    help: "most bytes of a response; 0 is 2 GiB",
  },
];

/** `ETCDCTL_API` chose between two tools once. There is one. @throws Failure when the other is asked for */
export function checkApiVersion(env: Io["env"]): void {
  const version = env.ETCDCTL_API ?? "";
  if (version === "" || version === "3") return;
  throw new BareFailure(EXIT_ERROR, `unsupported API version ${version}`);
}
