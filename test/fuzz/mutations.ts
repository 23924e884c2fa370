/** Ways to break a P10 object: blind ones, and ones that know where lengths, VRs, tags and delimiters stand. */
import type { Random } from './random.ts';

/** Lengths that writers and attackers get wrong. */
const LENGTHS = [0, 1, 2, 7, 0xff, 0xfffe, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const VRS = [
  'AT',
  'CS',
  'FD',
  'IS',
  'OB',
  'OW',
  'PN',
  'SQ',
  'UC',
  'UI',
  'UN',
  'US',
  'UT',
  'ZZ',
  '\0\0',
  '  ',
];
const SYNTAXES = ['', '.1', '.1.99', '.2', '.4.50', '.4.90', '.5', '.4.202', '.77'];
const MARKS = ['feff00e0', 'feff0de0', 'feffdde0', 'fffee000', 'e07f1000', '08000500', '28001000'];

export type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

function copyOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

function splice(bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
}

/** Offsets where an explicit VR seems to stand; the middle of text now and then, which is as good. */
function vrOffsets(bytes: Uint8Array): number[] {
  const found: number[] = [];
  const isLetter = (at: number) => (bytes[at] ?? 0) >= 0x41 && (bytes[at] ?? 0) <= 0x5a;
  for (let at = 136; at + 8 < bytes.length && found.length < 4000; at++)
    if (isLetter(at) && isLetter(at + 1) && bytes[at - 3] !== undefined && (bytes[at - 3] as number) < 0x80)
      found.push(at);
  return found;
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const out = copyOf(bytes);
  for (let flips = 1 + random.below(8); flips > 0; flips--) {
    const at = random.below(out.length);
    out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
  }
  return out;
}

function setBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const out = copyOf(bytes);
  out.set(random.bytes(Math.min(1 + random.below(8), out.length)), random.below(Math.max(1, out.length - 8)));
  return out;
}

function cut(bytes: Uint8Array, random: Random): Uint8Array {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  return splice(bytes, at, 1 + random.below(64), new Uint8Array(0));
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  const piece = bytes.subarray(at, at + 1 + random.below(200));
  return splice(bytes, at, 0, Buffer.concat(Array.from({ length: 1 + random.below(20) }, () => piece)));
}

function lieAboutLength(bytes: Uint8Array, random: Random): Uint8Array {
  const offsets = vrOffsets(bytes);
  const out = copyOf(bytes);
  const at = offsets.length > 0 ? random.pick(offsets) : random.below(Math.max(1, out.length - 12));
  const length = random.below(2) === 0 ? random.pick(LENGTHS) : random.below(bytes.length * 2);
  if (random.below(2) === 0 && at + 4 <= out.length) out.writeUInt16LE(length & 0xffff, at + 2);
  else if (at + 8 <= out.length) out.writeUInt32LE(length >>> 0, at + 4);
  return out;
}

function swapVr(bytes: Uint8Array, random: Random): Uint8Array {
  const offsets = vrOffsets(bytes);
  if (offsets.length === 0) return bytes;
  const out = copyOf(bytes);
  out.write(random.pick(VRS), random.pick(offsets), 'latin1');
  return out;
}

function changeSyntax(bytes: Uint8Array, random: Random): Uint8Array {
  const out = copyOf(bytes);
  const at = out.indexOf('1.2.840.10008.1.2');
  if (at < 0 || at > 600) return bytes;
  const uid = `1.2.840.10008.1.2${random.pick(SYNTAXES)}`;
  out.write(uid.padEnd(out[at - 2] ?? uid.length, '\0').slice(0, out[at - 2] ?? uid.length), at, 'latin1');
  return out;
}

function insertMark(bytes: Uint8Array, random: Random): Uint8Array {
  const mark = Buffer.from(random.pick(MARKS), 'hex');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(random.pick(LENGTHS) >>> 0);
  return splice(bytes, random.below(bytes.length), random.below(2) * 8, Buffer.concat([mark, length]));
}

function spliceOther(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  return Buffer.concat([
    bytes.subarray(0, random.below(bytes.length)),
    other.subarray(random.below(other.length)),
  ]);
}

function swapOrder(bytes: Uint8Array, random: Random): Uint8Array {
  const out = copyOf(bytes);
  const start = random.below(Math.max(1, out.length - 16));
  for (let at = start; at + 2 <= Math.min(out.length, start + 2 * (1 + random.below(200))); at += 2)
    out.subarray(at, at + 2).swap16();
  return out;
}

export const MUTATIONS: readonly Mutation[] = [
  flipBits,
  setBytes,
  cut,
  remove,
  repeat,
  lieAboutLength,
  lieAboutLength,
  swapVr,
  changeSyntax,
  insertMark,
  spliceOther,
  swapOrder,
];

/** One to four mutations, one after the other. */
export function mutate(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let out = bytes;
  for (let times = 1 + random.below(4); times > 0 && out.length > 0; times--)
    out = random.pick(MUTATIONS)(out, random, other);
  return out;
}
