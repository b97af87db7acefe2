/**
 * A bounded cache of file pages, where bbolt has mmap.
 *
 * Memory comes in slabs that are filled once and never written again: a view into a cached page stays true for as long
 * as somebody holds it, evicted or not, and the garbage collector keeps count instead of pins. What is bounded is what
 * the cache itself holds on to; a caller that keeps a small view keeps its slab, so long-lived data is to be copied.
 *
 * When the slabs exceed the capacity the oldest is retired. Its pages that were used since they came in get a second
 * chance: they are copied into the slab being filled, up to half a slab, so that retiring always frees memory.
 */

/** What the cache needs to know of a page. */
export interface CachedPage<P> {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly base: number;
  /** Bytes of the page, its overflow included. */
  readonly length: number;
  movedTo(bytes: Uint8Array, view: DataView, base: number): P;
}

/** Memory that pages are read or encoded into before they are `put`. */
export interface Slab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export interface PageCacheOptions {
  readonly pageBytes: number;
  /** What the cache may hold on to; at least four slabs are kept whatever it says. */
  readonly capacityBytes: number;
  /** Bytes of one slab for single pages. */
  readonly slabBytes?: number;
}

interface HeldSlab {
  readonly slab: Slab;
  readonly slots: number[];
  /** Index of the slab in `#slabAt`. */
  readonly unit: number;
}

/** Where a page's bytes are, for lookups that make do without its object. */
export class PagePlace {
  bytes: Uint8Array;
  view: DataView;
  base = 0;

  constructor() {
    const none = newSlab(0);
    this.bytes = none.bytes;
    this.view = none.view;
  }
}

const SLAB_BYTES = 256 * 1024;

/** A place is | unit | pages from the slab's start: 10 bits |. */
const POSITION_BITS = 10;
const POSITION_MAX = 2 ** POSITION_BITS - 1;
const UNITS_MAX = 2 ** (31 - POSITION_BITS) - 1;

export class PageCache<P extends CachedPage<P>> {
  readonly #pageBytes: number;
  readonly #capacityBytes: number;
  readonly #slabBytes: number;
  /** Page id → slot, 0 = not cached. Slot 0 is never used. */
  #slotOf = new Int32Array(1024);
  readonly #pages: (P | undefined)[] = [undefined];
  /** Page id → 1 when the page was used since it came in. */
  #used = new Uint8Array(1024);
  /**
   * Page id → place, 0 = not cached or not to be had by place. A lookup at random costs what it misses in the
   * processor's caches: here it touches four bytes of its own before it comes to the page, and no object.
   */
  #placeOf = new Int32Array(1024);
  /** Unit → slab. Unit 0 is never used. */
  readonly #slabAt: (Slab | undefined)[] = [undefined];
  readonly #freeUnits: number[] = [];
  readonly #freeSlots: number[] = [];
  /** Oldest first, from `#oldest` on. */
  #slabs: (HeldSlab | undefined)[] = [];
  #oldest = 0;
  #heldBytes = 0;
  #filling: HeldSlab | undefined;
  #fillOffset = 0;

  constructor(options: PageCacheOptions) {
    this.#pageBytes = options.pageBytes;
    this.#slabBytes = Math.max(options.slabBytes ?? SLAB_BYTES, options.pageBytes);
    this.#capacityBytes = Math.max(options.capacityBytes, 4 * this.#slabBytes);
  }

  /** Bytes of the slabs that the cache holds. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get(id: number): P | undefined {
    const slot = this.#slotOf[id];
    if (slot === undefined || slot === 0) return undefined;
    this.#used[id] = 1;
    return this.#pages[slot];
  }

  /** Sets `into` to where the page's bytes are. @returns false if it is not there: ask `get` then */
  find(id: number, into: PagePlace): boolean {
    const place = this.#placeOf[id];
    if (place === undefined || place === 0) return false;
    if (this.#used[id] === 0) this.#used[id] = 1;
    const { bytes, view } = this.#slabAt[place >>> POSITION_BITS] as Slab;
    into.bytes = bytes;
    into.view = view;
    into.base = (place & POSITION_MAX) * this.#pageBytes;
    return true;
  }

  get capacityBytes(): number {
    return this.#capacityBytes;
  }

  /** Pages that can be taken in before any has to go. */
  get freePages(): number {
    return Math.max(0, Math.floor((this.#capacityBytes - this.#heldBytes) / this.#pageBytes));
  }

  /**
   * Room for one page, or for some in a row, in the slab being filled: returns the slab; the place in it is
   * `roomOffset`.
   * @param pages  no more than a slab has
   */
  room(pages = 1): Slab {
    const wanted = pages * this.#pageBytes;
    if (this.#filling === undefined || this.#fillOffset + wanted > this.#slabBytes) {
      this.#filling = this.#hold(newSlab(this.#slabBytes));
      this.#fillOffset = 0;
      this.#retire(pages);
    }
    return this.#filling.slab;
  }

  get roomOffset(): number {
    return this.#fillOffset;
  }

  /** Takes in the page that was read or encoded into `room()` at `roomOffset`. */
  putInRoom(page: P): void {
    const filling = this.#filling;
    if (filling === undefined || page.bytes !== filling.slab.bytes) {
      throw new Error("putInRoom takes the page that room() gave place for");
    }
    this.#fillOffset += page.length;
    this.#install(filling, page);
  }

  /** Leaves the place of a page, or of some, at `roomOffset` to nobody, and goes on to the next. */
  skipRoom(pages = 1): void {
    this.#fillOffset += pages * this.#pageBytes;
  }

  /** Whether the page is there; to ask is not to use it. */
  has(id: number): boolean {
    const slot = this.#slotOf[id];
    return slot !== undefined && slot !== 0;
  }

  /** Takes in pages that lie in memory of their own, which then counts as one slab. */
  adopt(slab: Slab, pages: readonly P[]): void {
    const held = this.#hold(slab);
    for (const page of pages) this.#install(held, page);
    this.#retire(0);
  }

  /** Forgets a page. Views of it stay true. */
  drop(id: number): void {
    const slot = this.#slotOf[id];
    if (slot === undefined || slot === 0) return;
    this.#slotOf[id] = 0;
    this.#placeOf[id] = 0;
    this.#pages[slot] = undefined;
    // The slot itself is given back when its slab retires: until then the slab's list names it.
  }

  clear(): void {
    this.#slotOf.fill(0);
    this.#placeOf.fill(0);
    this.#pages.length = 1;
    this.#slabAt.length = 1;
    this.#freeUnits.length = 0;
    this.#freeSlots.length = 0;
    this.#slabs = [];
    this.#oldest = 0;
    this.#heldBytes = 0;
    this.#filling = undefined;
  }

  #hold(slab: Slab): HeldSlab {
    const unit = this.#freeUnits.pop() ?? this.#slabAt.length;
    this.#slabAt[unit] = slab;
    const held: HeldSlab = { slab, slots: [], unit };
    this.#slabs.push(held);
    this.#heldBytes += slab.bytes.length;
    return held;
  }

  #install(held: HeldSlab, page: P): void {
    this.drop(page.id);
    const slot = this.#freeSlots.pop() ?? this.#pages.length;
    this.#pages[slot] = page;
    const { id } = page;
    if (id >= this.#slotOf.length) {
      this.#slotOf = grown(this.#slotOf, id, Int32Array);
      this.#placeOf = grown(this.#placeOf, id, Int32Array);
      this.#used = grown(this.#used, id, Uint8Array);
    }
    this.#slotOf[id] = slot;
    this.#used[id] = 0;
    const position = page.base / this.#pageBytes;
    if (held.unit <= UNITS_MAX && position <= POSITION_MAX && Number.isInteger(position)) {
      this.#placeOf[id] = held.unit * 2 ** POSITION_BITS + position;
    }
    held.slots.push(slot);
  }

  /** @param reserved  pages whose room in the slab being filled is promised */
  #retire(reserved: number): void {
    while (this.#heldBytes > this.#capacityBytes) {
      const held = this.#slabs[this.#oldest];
      if (held === undefined) return;
      if (held === this.#filling) {
        if (reserved > 0) return;
        // Others came and went by `adopt` while it was filled: its time has come too.
        this.#filling = undefined;
      }
      this.#slabs[this.#oldest] = undefined; // Or its memory would stay until the list is cut.
      this.#oldest++;
      if (this.#oldest > 1024 && this.#oldest * 2 > this.#slabs.length) {
        this.#slabs = this.#slabs.slice(this.#oldest);
        this.#oldest = 0;
      }
      const { length } = held.slab.bytes;
      this.#heldBytes -= length;
      let chances = Math.floor(Math.min(length, this.#slabBytes) / this.#pageBytes / 2);
      for (const slot of held.slots) {
        const page = this.#pages[slot];
        const again = page !== undefined && this.#used[page.id] === 1 && chances > 0;
        if (page !== undefined) this.drop(page.id);
        this.#freeSlots.push(slot);
        if (again && page.length === this.#pageBytes && this.#fits(reserved)) {
          chances--;
          this.#copyIn(page);
        }
      }
      this.#slabAt[held.unit] = undefined;
      this.#freeUnits.push(held.unit);
    }
  }

  /** Whether there is room for a second chance; if none is promised to anybody, a new slab is begun for it. */
  #fits(reserved: number): boolean {
    const end = this.#fillOffset + (1 + reserved) * this.#pageBytes;
    if (this.#filling !== undefined && end <= this.#slabBytes) return true;
    if (reserved > 0) return false;
    this.#filling = this.#hold(newSlab(this.#slabBytes));
    this.#fillOffset = 0;
    return true;
  }

  #copyIn(page: P): void {
    const filling = this.#filling;
    if (filling === undefined) return;
    const { bytes, view } = filling.slab;
    const at = this.#fillOffset;
    bytes.set(page.bytes.subarray(page.base, page.base + page.length), at);
    this.#fillOffset += this.#pageBytes;
    this.#install(filling, page.movedTo(bytes, view, at));
  }
}

/** Fresh memory of that size, not zeroed: every byte is written before it is read. */
export function newSlab(sizeBytes: number): Slab {
  const buffer = Buffer.allocUnsafeSlow(sizeBytes);
  const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset, sizeBytes);
  return { bytes, view: new DataView(buffer.buffer, buffer.byteOffset, sizeBytes) };
}

function grown<A extends Int32Array | Uint8Array>(
  old: A,
  index: number,
  make: new (length: number) => A,
): A {
  const larger = new make(Math.max(index + 1, old.length * 2));
  larger.set(old);
  return larger;
}
