/** Jobs for people, in columns, and for programs. */
import { humanBytes, humanMs } from "../../console/sizes.ts";
import { tableOf } from "../../console/table.ts";
import { JOBS_RESPONSE, type Job, type JobsResponse } from "../../proto/tables/strata.ts";
import { goJsonLine } from "../print/go-json.ts";
import type { Views } from "../print/print.ts";

const HEADER = ["id", "kind", "state", "phase", "done", "rate", "eta", "running", "about"];
const GAP = "  ";

/** @param all  those that are over were asked for, too */
export function jobViews(response: JobsResponse, all: boolean): Views {
  const rows = response.jobs.map(rowOf);
  const nothing = all ? "No job has run.\n" : "No job is running.\n";
  return {
    simple: () => (rows.length === 0 ? nothing : columns(rows)),
    table: () => tableOf(HEADER, rows),
    json: () => goJsonLine(JOBS_RESPONSE, response),
  };
}

function rowOf(job: Job): readonly string[] {
  const { id, kind, unit, outcome, stopping, progress, runningMs } = job;
  const amount = unit === "bytes" ? humanBytes : String;
  const isOver = outcome !== "";
  const { phase = "", done = 0n, total = 0n, rate = 0n, etaMs = 0n } = progress ?? {};
  return [
    String(id),
    kind,
    isOver ? outcome : stopping ? "stopping" : "running",
    isOver || phase === "" ? "-" : plain(phase),
    outcome === "done" ? allOf(Number(total), amount) : doneOf(Number(done), Number(total), amount),
    isOver || rate === 0n ? "-" : `${amount(Number(rate))}/s`,
    isOver || etaMs === 0n ? "-" : humanMs(Number(etaMs)),
    humanMs(Number(runningMs)),
    plain([job.about, job.reason].filter((text) => text !== "").join(": ")),
  ];
}

/** What it reported last was not the end. */
function allOf(total: number, amount: (count: number) => string): string {
  return total > 0 ? amount(total) : "-";
}

function doneOf(done: number, total: number, amount: (count: number) => string): string {
  if (total > 0) {
    const percent = Math.min(100, Math.floor((done / total) * 100));
    return `${amount(done)} of ${amount(total)} (${percent} %)`;
  }
  return done > 0 ? amount(done) : "-";
}

/** What a server says is no command to a terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, "?");
}

function columns(rows: readonly (readonly string[])[]): string {
  const lines = [HEADER.map((name) => name.toUpperCase()), ...rows];
  const widths = HEADER.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}
