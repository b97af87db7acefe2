/** The end of a soak's process that reports and takes orders. */
import type { ErrorReport, Order, Report } from "./reports.ts";

export function report(what: Report): void {
  if (process.connected) process.send?.(what);
}

export function reportError(error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const told: ErrorReport = { kind: "error", what };
  report(told);
}

export function onOrder(take: (order: Order) => void): void {
  process.on("message", (order) => take(order as Order));
  // Whoever began the soak has gone, unless all is over here.
  process.on("disconnect", () => {
    if (!isOver) process.exit(1);
  });
}

let isOver = false;

/** Nothing more is said or heard. */
export function leave(): void {
  isOver = true;
  process.disconnect?.();
}
