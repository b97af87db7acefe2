/** `grpc-timeout`: how long a call has, told to the server. @see grpc doc/PROTOCOL-HTTP2.md, "Requests" */

/** Eight digits at most. */
const COUNT_MAX = 99_999_999;

const UNITS = [
  ["u", 1e-3],
  ["m", 1],
  ["S", 1000],
  ["M", 60_000],
  ["H", 3_600_000],
] as const;

/** As fine as it can be said; rounded up, so that the server does not give up before we do. */
export function grpcTimeout(ms: number): string {
  for (const [unit, unitMs] of UNITS) {
    const count = Math.max(1, Math.ceil(ms / unitMs));
    if (count <= COUNT_MAX) return `${count}${unit}`;
  }
  return `${COUNT_MAX}H`;
}
