import { inspect } from "node:util";

/** A bug in strata, never an operating error: nothing may catch it to carry on. */
export class InvariantError extends Error {
  override readonly name: string = "InvariantError";
}

/** States one fact that must hold. Stays on in production; `facts` are the numbers to debug it with. */
export function invariant(holds: boolean, claim: string, facts?: object): asserts holds {
  if (!holds) throw new InvariantError(facts ? `${claim}: ${inspect(facts)}` : claim);
}

/** Checks too dear for service (walk the tree, compare with a model). Every test run has them on. */
export function verify(claim: string, check: () => boolean): void {
  if (process.env.STRATA_VERIFY === "all") invariant(check(), claim);
}
