/** CRC-32C and CRC-64/NVME by slicing over eight bytes, and joining the CRCs of parts (zlib's crc32_combine, any width). */

const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC64_LOW = 0xac4bc9b5;
const CRC64_HIGH = 0x9a6c9329;

let crc32cTables: Int32Array | undefined;
let crc64Tables: { low: Int32Array; high: Int32Array } | undefined;

/** CRC-32C of `bytes`, going on from `previous` (0 at the start); an unsigned number. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  crc32cTables ??= makeCrc32cTables();
  const t = crc32cTables;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeWords = bytes.length - (bytes.length % 8);
  let crc = ~previous;
  let at = 0;
  for (; at < wholeWords; at += 8) {
    const x = crc ^ view.getInt32(at, true);
    const y = view.getInt32(at + 4, true);
    crc =
      t[1792 + (x & 255)]! ^
      t[1536 + ((x >>> 8) & 255)]! ^
      t[1280 + ((x >>> 16) & 255)]! ^
      t[1024 + (x >>> 24)]! ^
      t[768 + (y & 255)]! ^
      t[512 + ((y >>> 8) & 255)]! ^
      t[256 + ((y >>> 16) & 255)]! ^
      t[y >>> 24]!;
  }
  for (; at < bytes.length; at++) crc = t[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The running state of a CRC-64/NVME: the complemented register in two halves. */
export interface Crc64State {
  low: number;
  high: number;
}

export const startCrc64 = (): Crc64State => ({ low: -1, high: -1 });

export function updateCrc64(state: Crc64State, bytes: Uint8Array): void {
  crc64Tables ??= makeCrc64Tables();
  const { low: l, high: h } = crc64Tables;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeWords = bytes.length - (bytes.length % 8);
  let { low, high } = state;
  let at = 0;
  for (; at < wholeWords; at += 8) {
    const x = low ^ view.getInt32(at, true);
    const y = high ^ view.getInt32(at + 4, true);
    const a = 1792 + (x & 255);
    const b = 1536 + ((x >>> 8) & 255);
    const c = 1280 + ((x >>> 16) & 255);
    const d = 1024 + (x >>> 24);
    const e = 768 + (y & 255);
    const f = 512 + ((y >>> 8) & 255);
    const g = 256 + ((y >>> 16) & 255);
    const i = y >>> 24;
    low = l[a]! ^ l[b]! ^ l[c]! ^ l[d]! ^ l[e]! ^ l[f]! ^ l[g]! ^ l[i]!;
    high = h[a]! ^ h[b]! ^ h[c]! ^ h[d]! ^ h[e]! ^ h[f]! ^ h[g]! ^ h[i]!;
  }
  for (; at < bytes.length; at++) {
    const index = (low ^ bytes[at]!) & 255;
    low = l[index]! ^ ((low >>> 8) | (high << 24));
    high = h[index]! ^ (high >>> 8);
  }
  state.low = low;
  state.high = high;
}

export const finishCrc64 = (state: Crc64State): bigint =>
  (BigInt(~state.high >>> 0) << 32n) | BigInt(~state.low >>> 0);

function makeCrc32cTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32C_POLYNOMIAL : crc >>> 1;
    tables[n] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const previous = tables[at - 256]!;
    tables[at] = tables[previous & 255]! ^ (previous >>> 8);
  }
  return tables;
}

function makeCrc64Tables(): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  for (let n = 0; n < 256; n++) {
    let l = n;
    let h = 0;
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1;
      l = (l >>> 1) | (h << 31);
      h = h >>> 1;
      if (odd) {
        l ^= CRC64_LOW;
        h ^= CRC64_HIGH;
      }
    }
    low[n] = l;
    high[n] = h;
  }
  for (let at = 256; at < low.length; at++) {
    const index = low[at - 256]! & 255;
    low[at] = low[index]! ^ ((low[at - 256]! >>> 8) | (high[at - 256]! << 24));
    high[at] = high[index]! ^ (high[at - 256]! >>> 8);
  }
  return { low, high };
}

const POLYNOMIALS = {
  CRC32: { width: 32n, polynomial: 0xedb88320n },
  CRC32C: { width: 32n, polynomial: BigInt(CRC32C_POLYNOMIAL) },
  CRC64NVME: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n },
} as const;

/** The CRC of a whole from those of its parts in order: each `{ crc, sizeBytes }`. */
export function combineCrcs(
  algorithm: keyof typeof POLYNOMIALS,
  parts: readonly { crc: bigint; sizeBytes: number }[],
): bigint {
  const { width, polynomial } = POLYNOMIALS[algorithm];
  const shifts = new Map<number, bigint>();
  let whole = 0n;
  for (const { crc, sizeBytes } of parts) {
    let shift = shifts.get(sizeBytes);
    if (shift === undefined) {
      shift = powerOfX(BigInt(sizeBytes) * 8n, width, polynomial);
      shifts.set(sizeBytes, shift);
    }
    whole = multiply(shift, whole, width, polynomial) ^ crc;
  }
  return whole;
}

/** Product of two polynomials, reflected, modulo the CRC's. */
function multiply(a: bigint, b: bigint, width: bigint, polynomial: bigint): bigint {
  let product = 0n;
  let factor = b;
  for (let bit = 1n << (width - 1n); bit > 0n; bit >>= 1n) {
    if (a & bit) product ^= factor;
    factor = factor & 1n ? (factor >> 1n) ^ polynomial : factor >> 1n;
  }
  return product;
}

function powerOfX(exponent: bigint, width: bigint, polynomial: bigint): bigint {
  let power = 1n << (width - 1n);
  let square = 1n << (width - 2n);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) power = multiply(square, power, width, polynomial);
    square = multiply(square, square, width, polynomial);
  }
  return power;
}
