/** Seeded damage to codestreams: bit flips, cuts, fills, header lies, exchanged and repeated pieces. */
import { seeded } from './material.ts';

type Mutate = (bytes: Uint8Array, random: () => number) => Uint8Array;

const below = (random: () => number, limit: number) => Math.floor(random() * limit);

/** Main header and first tile-part header of the codestreams that we write. */
const HEADER_BYTES = 180;

const MUTATIONS: Readonly<Record<string, Mutate>> = {
  flip(bytes, random) {
    const out = new Uint8Array(bytes);
    for (let count = 1 + below(random, 8); count > 0; count--) {
      const at = below(random, out.length);
      out[at] = out[at]! ^ (1 << below(random, 8));
    }
    return out;
  },
  cut: (bytes, random) => bytes.slice(0, below(random, bytes.length)),
  fill(bytes, random) {
    const out = new Uint8Array(bytes);
    const start = below(random, out.length);
    const value = [0, 0xff, below(random, 256)][below(random, 3)]!;
    return out.fill(value, start, start + 1 + below(random, 400));
  },
  headerByte(bytes, random) {
    const out = new Uint8Array(bytes);
    for (let count = 1 + below(random, 3); count > 0; count--)
      out[2 + below(random, HEADER_BYTES)] = [0, 1, 0xff, 0x7f, below(random, 256)][below(random, 5)]!;
    return out;
  },
  headerFlip(bytes, random) {
    const out = new Uint8Array(bytes);
    const at = 2 + below(random, HEADER_BYTES);
    out[at] = out[at]! ^ (1 << below(random, 8));
    return out;
  },
  exchange(bytes, random) {
    const out = new Uint8Array(bytes);
    const length = 1 + below(random, Math.min(300, out.length >> 2));
    const [from, to] = [below(random, out.length - length), below(random, out.length - length)];
    out.set(bytes.subarray(from, from + length), to);
    out.set(bytes.subarray(to, to + length), from);
    return out;
  },
  insert(bytes, random) {
    const at = below(random, bytes.length);
    const extra = Uint8Array.from({ length: 1 + below(random, 40) }, () => below(random, 256));
    const out = new Uint8Array(bytes.length + extra.length);
    out.set(bytes.subarray(0, at));
    out.set(extra, at);
    out.set(bytes.subarray(at), at + extra.length);
    return out;
  },
  drop(bytes, random) {
    const at = below(random, bytes.length);
    const rest = bytes.subarray(at + 1 + below(random, 40));
    const out = new Uint8Array(at + rest.length);
    out.set(bytes.subarray(0, at));
    out.set(rest, at);
    return out;
  },
};

/** The damaged bytes and the kind of damage; the same for the same seed. */
export function mutate(bytes: Uint8Array, seed: number): { kind: string; bytes: Uint8Array } {
  const random = seeded(seed);
  const kinds = Object.keys(MUTATIONS);
  const kind = kinds[below(random, kinds.length)]!;
  return { kind, bytes: MUTATIONS[kind]!(bytes, random) };
}
