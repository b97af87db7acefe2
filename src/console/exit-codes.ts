/** Exit codes of etcdctl and etcdutl, under etcd's names. @see etcd pkg/cobrautl/error.go */
export const EXIT_SUCCESS = 0;
/** Anything that has no code of its own: a file that is not a database, an unknown command or flag, a refused call. */
export const EXIT_ERROR = 1;
/** No client could be made, or the call says that none is there. */
export const EXIT_BAD_CONNECTION = 2;
/** What was read from the standard input is not what was asked for. */
export const EXIT_INVALID_INPUT = 3;
/** A flag that is known, with a value that this command does not offer. */
export const EXIT_BAD_FEATURE = 4;
/** The other side ended what was going on. */
export const EXIT_INTERRUPTED = 5;
/** A wrong number or combination of arguments. */
export const EXIT_BAD_ARGS = 128;

/** What a shell shows for a command that a signal ended. */
export const EXIT_OF_SIGNAL: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** The signals that ask a command to stop. */
export type StopSignal = "SIGINT" | "SIGTERM";
