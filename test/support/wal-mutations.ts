/** Damaged logs: files with bytes that are wrong, and logs whose records have the right CRC but say what they like. */
import { borrowArena, giveBackArena } from "../../src/wal/arena-pool.ts";
import { RecordType } from "../../src/wal/record.ts";
import { RecordBuffer } from "../../src/wal/record-buffer.ts";
import { segmentName } from "../../src/wal/segment-name.ts";
import type { Rng } from "./rng.ts";

/** Segments by name, in order. */
export type LogFiles = ReadonlyMap<string, Uint8Array>;

export interface DamagedLog {
  readonly files: LogFiles;
  /** What was done, in words. */
  readonly story: readonly string[];
}

/** Lengths that a frame may claim: absurd, beyond any buffer, beyond 32 bits, with padding that does not belong. */
const LENGTHS = [
  2n ** 55n,
  2n ** 56n - 1n,
  2n ** 63n + 2n ** 55n,
  2n ** 64n - 1n,
  2n ** 32n + 16n,
  2n ** 31n,
  10n * 2n ** 20n,
  10n * 2n ** 20n - 8n,
  0x8400_0000_0000_0004n,
  1n,
  8n,
  0n,
];

export function damage(original: LogFiles, chance: Rng): DamagedLog {
  const files = new Map([...original].map(([name, bytes]) => [name, bytes.slice()]));
  const story: string[] = [];
  for (let count = 1 + chance.int(3); count > 0; count--) {
    const name = chance.pick([...files.keys()]);
    const bytes = files.get(name) ?? new Uint8Array();
    const at = chance.int(bytes.length + 1);
    switch (chance.int(9)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.int(8));
        story.push(`a bit at ${at} of ${name}`);
        break;
      case 1:
        bytes.set(chance.bytes(Math.min(bytes.length - at, 1 + chance.int(20))), at);
        story.push(`bytes at ${at} of ${name}`);
        break;
      case 2: {
        const frame = at - (at % 8);
        if (frame + 8 > bytes.length) break;
        const length = chance.pick(LENGTHS);
        new DataView(bytes.buffer).setBigUint64(frame, length, true);
        story.push(`a length of ${length} at ${frame} of ${name}`);
        break;
      }
      case 3:
        files.set(name, bytes.slice(0, at));
        story.push(`${name} cut at ${at}`);
        break;
      case 4: {
        const longer = new Uint8Array(bytes.length + chance.int(5000));
        longer.set(bytes);
        if (chance.bool()) longer.set(chance.bytes(longer.length - bytes.length), bytes.length);
        files.set(name, longer);
        story.push(`${name} extended to ${longer.length}`);
        break;
      }
      case 5: {
        const sector = at - (at % 512);
        bytes.fill(0, sector, sector + 512);
        story.push(`zeros in the sector at ${sector} of ${name}`);
        break;
      }
      case 6: {
        const length = chance.int(600);
        bytes.copyWithin(chance.int(bytes.length + 1), at, at + length);
        story.push(`${length} bytes moved from ${at} of ${name}`);
        break;
      }
      case 7:
        files.set(segmentName(chance.int(4), chance.int(20)), bytes.slice());
        story.push(`another segment like ${name}`);
        break;
      default:
        if (files.size > 1) files.delete(name);
        story.push(`${name} removed`);
    }
  }
  return { files, story };
}

/** A log whose frames and CRCs are good, with payloads that are not what their records' types promise. */
export function hostileLog(chance: Rng): DamagedLog {
  const arena = borrowArena();
  const buffer = new RecordBuffer(arena, 0);
  const story: string[] = [];
  buffer.addCrc();
  if (chance.bool(0.9)) buffer.add(RecordType.metadata, chance.bytes(chance.int(20)));
  if (chance.bool(0.9)) buffer.add(RecordType.snapshot, Uint8Array.of(0x08, 0, 0x10, 0));
  for (let count = chance.int(12); count > 0; count--) {
    const type = chance.pick(Object.values(RecordType));
    const data = payload(chance);
    story.push(`${type}: ${Buffer.from(data).toString("hex")}`);
    if (chance.bool(0.05)) buffer.addCrc();
    buffer.add(type, data);
  }
  const bytes = Buffer.concat(buffer.parts());
  giveBackArena(arena);
  return { files: new Map([[segmentName(0, 0), new Uint8Array(bytes)]]), story };
}

/** Fields with tags and lengths that are mostly right. */
function payload(chance: Rng): Uint8Array {
  const bytes: number[] = [];
  for (let count = chance.int(6); count > 0; count--) {
    const field = chance.bool(0.9) ? 1 + chance.int(5) : chance.int(3000);
    const wire = chance.bool(0.9) ? chance.pick([0, 2]) : chance.int(8);
    bytes.push(...varint(BigInt(field * 8 + wire)));
    if (wire === 0) bytes.push(...varint(number(chance)));
    else {
      const length = chance.int(8);
      bytes.push(
        ...varint(chance.bool(0.9) ? BigInt(length) : number(chance)),
        ...chance.bytes(length),
      );
    }
  }
  return Uint8Array.from(bytes);
}

function number(chance: Rng): bigint {
  const small = BigInt(chance.int(6));
  if (chance.bool(0.7)) return small;
  return (
    chance.pick([2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) -
    small
  );
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
