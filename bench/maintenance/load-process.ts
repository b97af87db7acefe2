/** The other end of `load-side.ts`: a process that loads a server, and stops and says what it saw when it is told to. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { cleanUpAtEnd } from "../../test/support/cleanup.ts";
import { projectFolder } from "../../test/support/judge.ts";
import type { LoadAnswer, LoadOrder, LoadWord } from "./load-side.ts";
import type { LoadFigure } from "./paced-load.ts";

const PROGRAM = join(projectFolder(), "dist/bench/maintenance/load-side.js");

export class LoadProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #forget: () => void;
  #gone: string | undefined;

  private constructor(order: LoadOrder) {
    this.#child = fork(PROGRAM, [JSON.stringify(order)], { execArgv: [] });
    this.#forget = cleanUpAtEnd(() => this.#child.kill("SIGKILL"));
    this.#child.once("exit", (code, signal) => {
      this.#gone = `the ${order.operation}s' process ended: ${signal ?? code}`;
    });
  }

  /** Connected, and idle. */
  static async start(order: LoadOrder): Promise<LoadProcess> {
    const load = new LoadProcess(order);
    await load.#answer();
    return load;
  }

  async begin(): Promise<void> {
    await this.#ask("start");
  }

  /** What it saw since the last cut. */
  async cut(): Promise<LoadFigure> {
    return this.#figure("cut");
  }

  /** The same; afterwards nothing is on its way. */
  async stop(): Promise<LoadFigure> {
    return this.#figure("stop");
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
    this.#forget();
  }

  async #figure(word: LoadWord): Promise<LoadFigure> {
    const answer = await this.#ask(word);
    if ("figure" in answer) return answer.figure;
    throw new Error(JSON.stringify(answer));
  }

  async #ask(word: LoadWord): Promise<LoadAnswer> {
    if (this.#gone !== undefined) throw new Error(this.#gone);
    const answer = this.#answer();
    this.#child.send(word);
    return answer;
  }

  async #answer(): Promise<LoadAnswer> {
    const answer = await new Promise<LoadAnswer>((resolve, reject) => {
      const onExit = (): void => reject(new Error(this.#gone));
      this.#child.once("exit", onExit);
      this.#child.once("message", (message: LoadAnswer) => {
        this.#child.off("exit", onExit);
        resolve(message);
      });
    });
    if ("failure" in answer) throw new Error(answer.failure);
    return answer;
  }
}
