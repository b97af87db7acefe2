/** What an inspection may be doing, by the number that its progress carries. */
export const VERIFYING = 0;
export const READING = 1;
export const PRINTING = 2;

/** 0 is `verifyTrailer`'s own. */
export const PHASES: readonly string[] = ["verifying the checksum", "reading", "printing"];
