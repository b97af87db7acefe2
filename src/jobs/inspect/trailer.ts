/** How a snapshot's trailing SHA-256 is told. */
import type { Json } from "../../base/json.ts";
import type { TrailerStatus } from "../snapshot-trailer.ts";

export function trailerText(trailer: TrailerStatus): string {
  switch (trailer.kind) {
    case "none":
      return "none";
    case "verified":
      return `verified (${trailer.sha256})`;
    case "mismatch":
      return `wrong: expected ${trailer.expected}, got ${trailer.got}`;
  }
}

export function trailerJson(trailer: TrailerStatus): Json {
  return { ...trailer };
}
