/**
 * Where our etcdctl is meant not to be the real 3.4.23: a table in docs/etcdctl.md, and what the golden transcripts are
 * held to where it shows in them. Whatever else differs is a mistake. Not listed: what a transcript itself lets a client
 * choose (`alt`, `drop`, `merge_streams`, help).
 */
import type { RanStep } from "./transcript.ts";

export interface Difference {
  readonly what: string;
  readonly real: string;
  readonly ours: string;
  readonly why: string;
  /** Steps of transcripts, as `nospace.json 5`, and how our etcdctl ends there. */
  readonly shows?: Readonly<Record<string, Outcome>>;
}

export interface Outcome {
  readonly code: number;
  /** The whole text; empty if it is not given. */
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    what: "`version`",
    real: "`etcdctl version: 3.4.23`",
    ours: "`etcdctl version: 0.1.0+strata`",
    why: "a script can tell the two apart",
    shows: {
      "err-global.json 20": {
        code: 0,
        stdout: /^etcdctl version: \d+\.\d+\.\d+\+strata\nAPI version: 3\.5\n$/,
      },
    },
  },
  {
    what: "a wrong flag or command",
    real: "said twice",
    ours: "said once",
    why: "as etcdctl 3.5 and 3.6",
  },
  {
    what: "lines of the client's log on stderr",
    real: "one for each failed attempt",
    ours: "none, but `--debug` says what is called",
    why: "the last line is what counts",
  },
  {
    what: "`endpoint health`",
    real: "healthy lines on stderr",
    ours: "on stdout",
    why: "as etcdctl 3.6",
  },
  {
    what: "`snapshot save`",
    real: "`Snapshot saved at FILE`",
    ours: "then `Server version 3.5.0`, if the server says its version",
    why: "as etcdctl 3.6",
  },
  {
    what: "`snapshot status` of a damaged file",
    real: "`Error: invalid database`",
    ours: "`Error: FILE: offset 16: invalid database (magic …)`",
    why: "says where it is damaged; the known words are in it",
    shows: {
      "snapshot-save.json 13": {
        code: 1,
        stderr: /^Error: junk\.db: offset 16: invalid database \(magic 0x78787878, .*\)\n$/,
      },
    },
  },
  {
    what: "`alarm list -w fields`",
    real: "ends in a panic",
    ours: "prints header and alarms",
    why: "as etcdctl 3.5 and 3.6",
    shows: {
      "nospace.json 5": {
        code: 0,
        stdout:
          /^"ClusterID" : \d+\n"MemberID" : \d+\n"Revision" : \d+\n"RaftTerm" : \d+\n"MemberID" : \d+\n"AlarmType" : NOSPACE\n\n$/,
      },
    },
  },
  {
    what: "`txn` with an unknown operator",
    real: "ends in a panic",
    ours: "`Error: malformed comparison: … (unknown operator ~)`, exit code 3",
    why: "a mistake of whoever types is no crash",
    shows: {
      "txn-errors.json 19": {
        code: 3,
        stderr: /^Error: malformed comparison: ver\("k"\) ~ "1" \(unknown operator ~\)\n$/,
      },
    },
  },
  {
    what: "`txn` that compares `lease`",
    real: "ends in a panic",
    ours: "compares with a lease ID in hexadecimal",
    why: "what the panic stood in the way of",
  },
  {
    what: "an operation of `txn` with a word in quotes, `put k 'it is'`",
    real: "stores `i`",
    ours: "stores `it is`",
    why: "a mistake there",
  },
  {
    what: "`endpoint health` while there is an alarm",
    real: "healthy",
    ours: "unhealthy, with the alarm as the reason",
    why: "as etcdctl 3.5 and 3.6",
  },
  {
    what: "`endpoint status` and `hashkv`, `-w json` and `fields`",
    real: "what 3.4 knows",
    ours: "besides, what later servers say: storage version, quota, hash revision",
    why: "as etcdctl 3.6",
  },
  {
    what: "`lock`, `elect` that waited and slept beyond its lease",
    real: "says that it holds what another one holds",
    ours: "`Error: mutex: session is expired`",
    why: "never two holders",
  },
  {
    what: "`snapshot save`",
    real: "takes what it gets",
    ours: "compares it with its SHA-256 before the file has its name",
    why: "a backup that cannot be read is none",
  },
  {
    what: "`snapshot restore` that fails",
    real: "leaves half a data dir",
    ours: "leaves nothing",
    why: "nothing half-written",
  },
  {
    what: "a `--cacert` without a certificate in it",
    real: "every call times out",
    ours: "refused at once, exit code 128",
    why: "says what is wrong",
  },
  {
    what: "`--discovery-srv`",
    real: "asks DNS for the endpoints",
    ours: "refused",
    why: "not there",
  },
  {
    what: "passwords in `--debug`",
    real: "shown",
    ours: "`***`",
    why: "logs are read by others",
  },
  {
    what: "`lock NAME -- COMMAND` whose command fails",
    real: "exit code 1",
    ours: "the command's own",
    why: "as etcdctl 3.6",
  },
];

/** How our etcdctl differs from what it is meant to come to here, if that is not what was recorded. */
export function knownDifference(
  transcript: string,
  step: string,
): { readonly differs: (ran: RanStep) => string[] } | undefined {
  const name = `${transcript} ${step}`;
  const wanted = DIFFERENCES.flatMap(({ shows = {} }) => shows[name] ?? [])[0];
  return wanted && { differs: (ran) => differ(wanted, ran) };
}

function differ(wanted: Outcome, ran: RanStep): string[] {
  const found: string[] = [];
  if (ran.code !== wanted.code) found.push(`code: want ${wanted.code}, got ${ran.code}`);
  for (const stream of ["stdout", "stderr"] as const) {
    const text = ran[stream].toString("utf8");
    const want = wanted[stream] ?? /^$/;
    if (!want.test(text)) {
      found.push(`${stream}:\n  want ${want}\n  got  ${JSON.stringify(text)}`);
    }
  }
  return found;
}
