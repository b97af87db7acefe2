/** Exit codes of etcdctl and etcdutl, under etcd's names. @see etcd pkg/cobrautl/error.go */
export const EXIT_SUCCESS = 0;
/** Anything that has no code of its own: a file that is not a database, an unknown command or flag. */
export const EXIT_ERROR = 1;
/** A flag that is known, with a value that this command does not offer. */
export const EXIT_BAD_FEATURE = 4;
/** A wrong number or combination of arguments. */
export const EXIT_BAD_ARGS = 128;

/** What a shell shows for a command that a signal ended. */
export const EXIT_OF_SIGNAL: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** The signals that ask a command to stop. */
export type StopSignal = "SIGINT" | "SIGTERM";
