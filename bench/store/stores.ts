/**
 * Stores in the process, each used as its users would, with equal durability: a put that has resolved survives a power
 * loss. What each needs for that is said where it is opened.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Strata } from "../../src/index.ts";
import { type PeerPackage, peerModule } from "./peers.ts";
import { keyOf, mixRead } from "./workload.ts";

export interface OpenStore {
  /** Durable when it resolves, or, if there is no promise, when it returns. */
  put(key: string, value: Buffer): Promise<unknown> | undefined;
  /** Puts 0 to `count` - 1, as fast as this store can; durable at the end. */
  load(count: number, value: (i: number) => Buffer): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined> | Uint8Array | undefined;
  /** The digest of what these keys have, in the loop that a user would write. */
  getAll(keys: readonly string[]): Promise<number> | number;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  /** How a put gets to the disk. */
  readonly about: string;
  readonly package?: PeerPackage;
  /** @param callers  that will put at a time */
  open(folder: string, callers: number): Promise<OpenStore>;
}

/** No store here is to stop at a quota. */
const QUOTA_BYTES = 64 * 2 ** 30;
const LOAD_CALLERS = 1000;
const LOAD_TX_PUTS = 10_000;

/** `callers` loops that each wait for their last put; `took` gets what each put took, in milliseconds. */
export async function putAll(
  store: Pick<OpenStore, "put">,
  value: (i: number) => Buffer,
  range: { readonly from: number; readonly to: number; readonly callers: number },
  took?: Float64Array,
): Promise<void> {
  const { from, to, callers } = range;
  let next = from;
  const caller = async (): Promise<void> => {
    while (next < to) {
      const i = next++;
      const start = performance.now();
      await store.put(keyOf(i), value(i));
      if (took !== undefined) took[i - from] = performance.now() - start;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

export const STRATA: StoreKind = {
  name: "strata",
  about: "store.put",
  open: async (folder) => {
    const store = await Strata.open({ dir: folder }, { quotaBytes: QUOTA_BYTES });
    return {
      put: (key, value) => store.put(key, value),
      load: (count, value) =>
        putAll({ put: (key, bytes) => store.put(key, bytes) }, value, {
          from: 0,
          to: count,
          callers: LOAD_CALLERS,
        }),
      get: async (key) => (await store.get(key))?.value,
      getAll: async (keys) => {
        let digest = 0;
        for (const key of keys) digest = mixRead(digest, key, (await store.get(key))?.value);
        return digest;
      },
      close: () => store.close(),
    };
  },
};

interface Lmdb {
  put(key: string, value: Uint8Array): Promise<boolean> & { readonly flushed: Promise<unknown> };
  getBinary(key: string): Buffer | undefined;
  readonly flushed: PromiseLike<unknown>;
  close(): Promise<void>;
}

interface LmdbModule {
  open(options: object): Lmdb;
}

function openLmdb(folder: string, overlappingSync: boolean): Lmdb {
  const { open } = peerModule<LmdbModule>("lmdb");
  return open({
    path: join(folder, "lmdb"),
    encoding: "binary",
    overlappingSync,
    separateFlushed: true,
  });
}

function lmdbStore(db: Lmdb, put: OpenStore["put"]): OpenStore {
  return {
    put,
    load: async (count, value) => {
      for (let i = 0; i < count; i++) {
        const written = db.put(keyOf(i), value(i));
        if (i % LOAD_TX_PUTS === LOAD_TX_PUTS - 1) await written;
      }
      await db.flushed;
    },
    get: (key) => db.getBinary(key),
    getAll: (keys) => {
      let digest = 0;
      for (const key of keys) digest = mixRead(digest, key, db.getBinary(key));
      return digest;
    },
    close: () => db.close(),
  };
}

/** Its commit resolves when it is visible; only `flushed` says that it is on the disk. */
export const LMDB_FLUSHED: StoreKind = {
  name: "lmdb, flushed",
  about: "overlappingSync, its default: put(…).flushed",
  package: "lmdb",
  open: async (folder) => {
    const db = openLmdb(folder, true);
    return lmdbStore(db, (key, value) => db.put(key, value).flushed);
  },
};

/** Here the commit itself waits for the disk. */
export const LMDB: StoreKind = {
  name: "lmdb",
  about: "overlappingSync: false, so that put(…) is the disk's answer",
  package: "lmdb",
  open: async (folder) => {
    const db = openLmdb(folder, false);
    return lmdbStore(db, (key, value) => db.put(key, value));
  },
};

interface Level {
  open(): Promise<void>;
  put(key: string, value: Uint8Array, options: { sync: boolean }): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  getSync(key: string): Uint8Array | undefined;
  batch(
    operations: readonly { type: "put"; key: string; value: Uint8Array }[],
    options: { sync: boolean },
  ): Promise<void>;
  close(): Promise<void>;
}

interface LevelModule {
  readonly ClassicLevel: new (path: string, options: object) => Level;
}

async function openLevel(folder: string): Promise<Level> {
  const { ClassicLevel } = peerModule<LevelModule>("classic-level");
  const db = new ClassicLevel(join(folder, "level"), {
    keyEncoding: "utf8",
    valueEncoding: "view",
  });
  await db.open();
  return db;
}

function levelStore(db: Level, getAll: OpenStore["getAll"]): OpenStore {
  return {
    put: (key, value) => db.put(key, value, { sync: true }),
    load: async (count, value) => {
      for (let from = 0; from < count; from += LOAD_TX_PUTS) {
        const to = Math.min(from + LOAD_TX_PUTS, count);
        const puts = Array.from({ length: to - from }, (_, i) => {
          return { type: "put" as const, key: keyOf(from + i), value: value(from + i) };
        });
        await db.batch(puts, { sync: true });
      }
    },
    get: (key) => db.getSync(key),
    getAll,
    close: () => db.close(),
  };
}

export const LEVEL: StoreKind = {
  name: "classic-level",
  about: "put with { sync: true }",
  package: "classic-level",
  open: async (folder) => {
    const db = await openLevel(folder);
    return levelStore(db, async (keys) => {
      let digest = 0;
      for (const key of keys) digest = mixRead(digest, key, await db.get(key));
      return digest;
    });
  },
};

export const LEVEL_SYNC: StoreKind = {
  name: "classic-level, getSync",
  about: "reads on the main thread",
  package: "classic-level",
  open: async (folder) => {
    const db = await openLevel(folder);
    return levelStore(db, (keys) => {
      let digest = 0;
      for (const key of keys) digest = mixRead(digest, key, db.getSync(key));
      return digest;
    });
  },
};

interface Statement {
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): Buffer | undefined;
  pluck(): Statement;
}

interface Sqlite {
  pragma(text: string): unknown;
  exec(text: string): unknown;
  prepare(text: string): Statement;
  transaction<T extends unknown[]>(work: (...args: T) => void): (...args: T) => void;
  close(): void;
}

interface Waiting {
  readonly key: string;
  readonly value: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A log with synchronous=FULL, which syncs it at every commit. One caller has a transaction for each put; puts of more
 * callers that come in one turn of the event loop share one.
 */
export const SQLITE: StoreKind = {
  name: "better-sqlite3",
  about: "WAL, synchronous=FULL; one transaction for the puts of a turn of the event loop",
  package: "better-sqlite3",
  open: async (folder, callers) => {
    const Database = peerModule<new (path: string) => Sqlite>("better-sqlite3");
    mkdirSync(folder, { recursive: true });
    const db = new Database(join(folder, "sqlite"));
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.exec("CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID");
    const insert = db.prepare("INSERT OR REPLACE INTO kv VALUES (?, ?)");
    const select = db.prepare("SELECT value FROM kv WHERE key = ?").pluck();
    const insertAll = db.transaction((puts: readonly Pick<Waiting, "key" | "value">[]) => {
      for (const { key, value } of puts) insert.run(key, value);
    });
    let waiting: Waiting[] = [];
    const commit = (): void => {
      const puts = waiting;
      waiting = [];
      try {
        insertAll(puts);
        for (const { resolve } of puts) resolve();
      } catch (error) {
        for (const { reject } of puts) reject(error);
      }
    };
    return {
      put: (key, value) => {
        if (callers === 1) {
          insert.run(key, value);
          return undefined;
        }
        return new Promise<void>((resolve, reject) => {
          if (waiting.push({ key, value, resolve, reject }) === 1) setImmediate(commit);
        });
      },
      load: async (count, value) => {
        for (let from = 0; from < count; from += LOAD_TX_PUTS) {
          const to = Math.min(from + LOAD_TX_PUTS, count);
          insertAll(
            Array.from({ length: to - from }, (_, i) => {
              return { key: keyOf(from + i), value: value(from + i) };
            }),
          );
        }
      },
      get: (key) => select.get(key),
      getAll: (keys) => {
        let digest = 0;
        for (const key of keys) digest = mixRead(digest, key, select.get(key));
        return digest;
      },
      close: async () => db.close(),
    };
  },
};
