/** What the engine tells whoever runs it: rare events, one line each. */
export interface EngineEvent {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  /** What it is about, by name: numbers with their unit, paths, ids in hex. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

export type EngineLog = (event: EngineEvent) => void;
