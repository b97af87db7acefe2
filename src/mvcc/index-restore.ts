/**
 * The index of a store that starts: fed with all of bucket `key` in revision order, it sorts the keys once at the end
 * instead of one by one.
 *
 * @see etcd server/storage/mvcc/kvstore.go restoreIntoIndex
 */
import { Generations } from "./generations.ts";
import { KeyIndex } from "./key-index.ts";
import { KeyTable } from "./key-table.ts";
import { OrderedKeys } from "./ordered-keys.ts";
import { sortKeys } from "./sort-keys.ts";

export class IndexRestore {
  readonly #table = new KeyTable();
  readonly #generations = new Generations();
  /** As they came, and their ids. */
  readonly #keys: string[] = [];
  readonly #ids: number[] = [];
  #liveKeys = 0;
  #keyBytes = 0;

  /**
   * One record. For the first of a key, the history before it may be compacted away, so its `create` and `version` are
   * taken at their word; from there on they follow.
   * @param key  as for `KeyIndex.put`
   * @param create, version  of the KeyValue; not looked at for a tombstone
   * @returns false for a tombstone of a key that is deleted already, which changes nothing
   */
  add(
    main: number,
    sub: number,
    tombstone: boolean,
    key: string,
    create: number,
    version: number,
  ): boolean {
    const id = this.#table.get(key);
    if (id === -1) {
      const created = this.#generations.restore(main, sub, tombstone, create, version);
      this.#table.add(key, created);
      this.#keys.push(key);
      this.#ids.push(created);
      this.#keyBytes += key.length;
      if (!tombstone) this.#liveKeys++;
      return true;
    }
    if (tombstone) {
      if (!this.#generations.tombstone(id, main, sub)) return false;
      this.#liveKeys--;
    } else if (this.#generations.put(id, main, sub)) this.#liveKeys++;
    return true;
  }

  /** The index. The restore ends with it. */
  finish(): KeyIndex {
    const keys = this.#keys;
    const order = sortKeys(keys);
    const tree = new OrderedKeys();
    tree.load(
      Array.from(order, (place) => keys[place] as string),
      Array.from(order, (place) => this.#ids[place] as number),
    );
    return new KeyIndex({
      table: this.#table,
      tree,
      generations: this.#generations,
      liveKeys: this.#liveKeys,
      keyBytes: this.#keyBytes,
    });
  }
}
