/** Seeded random numbers, so that every run of the fuzzer can be had again. */

export interface Random {
  /** 0 ≤ n < limit, whole. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** mulberry32 over a mix of the seed and the run's number. */
export function randomOf(seed: number, run: number): Random {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(run + 1, 0xc2b2ae35)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number) => Math.floor((next() / 0x1_0000_0000) * limit);
  return {
    below,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}
