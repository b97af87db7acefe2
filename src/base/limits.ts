/** Limits of the formats, each with its reason, and how they relate. */
import { invariant } from "./invariant.ts";

/** bbolt refuses longer keys and bucket names (`MaxKeySize`). */
export const KEY_BYTES_MAX = 32_768;

/** bbolt's `MaxValueSize`: a value's length is a signed 32-bit number minus what a header needs. */
export const VALUE_BYTES_MAX: number = 2 ** 31 - 2;

/** The smallest and the largest page that any system writes; in between, powers of two. */
export const PAGE_BYTES_MIN = 1024;
export const PAGE_BYTES_MAX = 65_536;

/** Linux on amd64 and arm64, where etcd runs. */
export const PAGE_BYTES_DEFAULT = 4096;

/**
 * A tree this deep is not one that a writer made: with two children a branch it would hold 2^64 leaves. Readers stop
 * there instead of following a hostile file for ever.
 */
export const TREE_DEPTH_MAX = 64;

/** Buckets inside buckets: no limit in the format, one here so that a hostile file cannot exhaust the stack. */
export const BUCKET_DEPTH_MAX = 256;

invariant(PAGE_BYTES_MAX / 16 < 0xffff, "a page's elements can be counted in 16 bits");

/**
 * Pages on one way from the root down, through every bucket on it: what recursion has to bear. Real files stay below a
 * hundred; without it, a chain of buckets that are each within their limits would be one of 16,384 pages.
 */
export const PATH_PAGES_MAX = 1024;

/**
 * Transactions within transactions: etcd counts only the operations of each (128), so a hostile request of 1.5 MiB
 * could hold a hundred thousand of them, one in the other. Readers stop there instead of exhausting the stack.
 */
export const TXN_DEPTH_MAX = 256;
