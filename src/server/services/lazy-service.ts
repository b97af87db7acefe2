/**
 * Services whose code is loaded when one of their methods is called for the first time: the generated messages and
 * their runtime take longer to load than a server may take to start.
 */
import type { Method, Service } from "../../grpc/service.ts";

export type LazyKind = "unary" | "serverStream";

export interface LazyService extends Service {
  /** Loads the code now, so that the first call need not wait for it. */
  load(): Promise<void>;
}

/**
 * @param kinds  of the methods, by name: `load` gives each of them
 * @param load  called once, or again if it failed
 */
export function lazyService<K extends Readonly<Record<string, LazyKind>>>(
  name: string,
  kinds: K,
  load: () => Promise<Readonly<Record<keyof K, Method>>>,
): LazyService {
  let methods: Readonly<Record<keyof K, Method>> | undefined;
  let loading: Promise<Readonly<Record<keyof K, Method>>> | undefined;
  const loaded = async (): Promise<Readonly<Record<keyof K, Method>>> => {
    if (methods !== undefined) return methods;
    loading ??= load();
    try {
      methods = await loading;
      return methods;
    } finally {
      loading = undefined;
    }
  };

  const method = (each: keyof K, kind: LazyKind): Method => {
    if (kind === "unary") {
      return {
        kind,
        handle: async (...call) => {
          const found = (methods ?? (await loaded()))[each];
          if (found.kind === kind) await found.handle(...call);
        },
      };
    }
    return {
      kind,
      handle: async (...call) => {
        const found = (methods ?? (await loaded()))[each];
        if (found.kind === kind) await found.handle(...call);
      },
    };
  };

  return {
    name,
    methods: Object.fromEntries(
      Object.entries(kinds).map(([each, kind]) => [each, method(each, kind)]),
    ),
    load: async () => {
      await loaded();
    },
  };
}
