/** Server reflection, whose descriptors are loaded when somebody asks: see lazy-service.ts. */
import { reflectionServices } from "../../grpc/reflection.ts";
import type { MessageListener, Service, StreamCall } from "../../grpc/service.ts";

type Load = () => Promise<readonly Service[]>;

const NAMES = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
const METHOD = "ServerReflectionInfo";

/** @param others  all services of the server but these two */
export function lazyReflection(others: readonly Service[]): Service[] {
  let loading: Promise<readonly Service[]> | undefined;
  const load: Load = () => {
    loading ??= loadFor(others);
    return loading;
  };
  return NAMES.map((name) => ({
    name,
    methods: {
      [METHOD]: { kind: "bidiStream", open: (call) => new LaterListener(call, name, load) },
    },
  }));
}

async function loadFor(others: readonly Service[]): Promise<readonly Service[]> {
  const { descriptors } = await import("../../proto/descriptors.ts");
  const files = [...descriptors().files.values()].map(({ bytes }) => bytes);
  return reflectionServices(others, files);
}

/** Keeps what comes until it can be handed on; the peer is not read from meanwhile. */
class LaterListener implements MessageListener {
  #listener: MessageListener | undefined;
  /** What came, in order. */
  #waiting: ((to: MessageListener) => void)[] = [];

  constructor(call: StreamCall, name: string, load: Load) {
    call.pause();
    load()
      .then((services) => {
        const method = services.find((each) => each.name === name)?.methods[METHOD];
        if (method?.kind !== "bidiStream") return;
        const listener = method.open(call);
        this.#listener = listener;
        for (const tell of this.#waiting) tell(listener);
        this.#waiting = [];
        call.resume();
      })
      .catch((error: unknown) => call.failWith(error));
  }

  message(bytes: Uint8Array, start: number, end: number): void {
    this.#tell((listener) => listener.message(bytes, start, end));
  }

  halfClosed(): void {
    this.#tell((listener) => listener.halfClosed());
  }

  closed(): void {
    this.#tell((listener) => listener.closed());
  }

  drained(): void {
    this.#tell((listener) => listener.drained());
  }

  #tell(tell: (to: MessageListener) => void): void {
    if (this.#listener === undefined) this.#waiting.push(tell);
    else tell(this.#listener);
  }
}
