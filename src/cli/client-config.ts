/** What a client is made with, out of the global flags. The checks are in etcdctl's order. */
import { readFileSync } from "node:fs";
import type {
  Credentials,
  TlsOptions,
  TransportOptions,
} from "../client/transport/transport-options.ts";
import { EXIT_BAD_ARGS, EXIT_BAD_CONNECTION, EXIT_ERROR } from "../console/exit-codes.ts";
import { Failure, systemErrorText } from "../console/failure.ts";
import type { FlagValues } from "../console/flags.ts";
import type { Io } from "../console/io.ts";
import { checkOutputFormat } from "./output-format.ts";

/** @throws Failure for what no client can be made of */
export async function clientConfig(flags: FlagValues, io: Io): Promise<TransportOptions> {
  if (flags.text("discovery-srv") !== "") {
    const what = "--discovery-srv is not supported: name the endpoints with --endpoints";
    throw new Failure(EXIT_ERROR, what);
  }
  refuseEmptyPaths(flags, ["cert", "key", "cacert"]);
  const credentials = await credentialsOf(flags.text("user"), flags.text("password"), io);
  checkOutputFormat(flags.text("write-out"));
  const tls = await tlsOptions({
    cert: flags.text("cert"),
    key: flags.text("key"),
    cacert: flags.text("cacert"),
    insecureTransport: flags.bool("insecure-transport"),
    insecureSkipVerify: flags.bool("insecure-skip-tls-verify"),
  });
  const endpoints = flags.list("endpoints").map((endpoint) => endpoint.trim());
  if (endpoints.length === 0) {
    throw new Failure(EXIT_BAD_CONNECTION, "etcdclient: no available endpoints");
  }
  const maxSendBytes = flags.number("max-request-bytes");
  const maxReceiveBytes = flags.number("max-recv-bytes");
  if (maxReceiveBytes > 0 && maxSendBytes > maxReceiveBytes) {
    const limits = `recv limit (${maxReceiveBytes} bytes) must be greater than send limit (${maxSendBytes} bytes)`;
    throw new Failure(EXIT_BAD_CONNECTION, `gRPC message ${limits}`);
  }
  return {
    endpoints,
    tls,
    credentials,
    keepAliveTimeMs: flags.number("keepalive-time"),
    keepAliveTimeoutMs: flags.number("keepalive-timeout"),
    maxSendBytes: maxSendBytes > 0 ? maxSendBytes : undefined,
    maxReceiveBytes: maxReceiveBytes > 0 ? maxReceiveBytes : undefined,
  };
}

/** @param names  of flags with paths: one that is given says something @throws Failure */
export function refuseEmptyPaths(flags: FlagValues, names: readonly string[]): void {
  for (const name of names) {
    if (flags.text(name) === "" && flags.given(name)) {
      throw new Failure(EXIT_BAD_ARGS, `empty string is passed to --${name} option`);
    }
  }
}

/** `--user name:password`; with `--password`, all of `--user` is the name. Asked for if there is neither. */
export async function credentialsOf(
  user: string,
  password: string,
  io: Io,
  prompt = "Password: ",
): Promise<Credentials | undefined> {
  if (user === "") return undefined;
  if (password !== "") return { user, password };
  const colon = user.indexOf(":");
  if (colon >= 0) return namedAndKnown(user.slice(0, colon), user.slice(colon + 1));
  const { askPassword } = await import("./password.ts");
  return namedAndKnown(user, await askPassword(io, prompt));
}

/** etcd's client goes without credentials that lack one half. */
function namedAndKnown(user: string, password: string): Credentials | undefined {
  return user === "" || password === "" ? undefined : { user, password };
}

export interface TlsFlags {
  /** Paths; empty: none. */
  readonly cert: string;
  readonly key: string;
  readonly cacert: string;
  readonly insecureTransport: boolean;
  readonly insecureSkipVerify: boolean;
}

/** Undefined if nothing asks for TLS. @throws Failure 128 for files that cannot be read, or do not fit together */
export async function tlsOptions(flags: TlsFlags): Promise<TlsOptions | undefined> {
  const { cert, key, cacert, insecureSkipVerify } = flags;
  if (cert === "" && key === "" && cacert === "") {
    return flags.insecureTransport ? undefined : { insecureSkipVerify };
  }
  if ((cert === "") !== (key === "")) {
    const what = `KeyFile and CertFile must both be present[key: ${key}, cert: ${cert}]`;
    throw new Failure(EXIT_BAD_ARGS, what);
  }
  const files = { cert: fileAt(cert), key: fileAt(key), ca: fileAt(cacert) };
  await checkPem(files, cacert);
  return { ...files, insecureSkipVerify };
}

function fileAt(path: string): Buffer | undefined {
  if (path === "") return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    // Node tells the path of what it cannot open, but not of what it cannot read.
    const named = Object.assign(error as Error, { path });
    throw new Failure(EXIT_BAD_ARGS, systemErrorText(named) ?? named.message);
  }
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** A file that holds something else would show in nothing but a time-out. */
async function checkPem(
  { cert, key, ca }: Readonly<Record<"cert" | "key" | "ca", Buffer | undefined>>,
  caPath: string,
): Promise<void> {
  const authorities = ca?.toString("latin1").match(CERTIFICATE);
  if (authorities === null) throw new Failure(EXIT_BAD_ARGS, `${caPath}: no certificate in it`);
  for (const [pem, what] of [
    [cert, "certificate"],
    [key, "key"],
  ] as const) {
    if (pem === undefined || pem.includes("-----BEGIN ")) continue;
    throw new Failure(EXIT_BAD_ARGS, `tls: failed to find any PEM data in ${what} input`);
  }
  const { X509Certificate } = await import("node:crypto");
  const { createSecureContext } = await import("node:tls");
  try {
    // OpenSSL passes over those of a list that it cannot read.
    for (const authority of authorities ?? []) new X509Certificate(authority);
    createSecureContext({ cert, key });
  } catch (error) {
    const why = (error as Error).message.replace(/^error:[0-9A-F]+:/, "");
    const isMismatch = why.endsWith("key values mismatch");
    throw new Failure(
      EXIT_BAD_ARGS,
      isMismatch ? "tls: private key does not match public key" : `tls: ${why}`,
    );
  }
}
