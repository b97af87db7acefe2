/** Chance comes in through here, so that a test can hand in its own. For jitter; nothing secret hangs on it. */
export const systemRandom = (): number => Math.random();
