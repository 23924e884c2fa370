/** Seeded, CT-like slices: a body of smooth structures with 12-bit noise, air around it. No patient, no copied pixels. */

/** `count` slices of `size` × `size`, signed 16 bit, as bytes. */
export function ctSlices(count, size = 512, seed = 1) {
  let state = seed >>> 0;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: count }, (_, slice) => {
    const pixels = new Int16Array(size * size);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const [u, v] = [(x / size) * 2 - 1, (y / size) * 2 - 1];
        const inside = u * u * 1.2 + v * v * 1.8 < 0.8;
        const tissue =
          40 + 120 * Math.sin(9 * u + slice) * Math.cos(7 * v) + (u * u + v * v < 0.05 ? 700 : 0);
        const noise = (random() + random() + random() - 1.5) * 24;
        pixels[y * size + x] = Math.round(inside ? tissue + noise : -1000 + noise / 3);
      }
    return new Uint8Array(pixels.buffer);
  });
}
