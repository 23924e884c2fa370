/** Colour by plane to colour by pixel, for codecs that give planes. Pure. */

/** Samples of `width` bytes; all planes are of one length. */
export function interleavePlanes(planes: readonly Uint8Array[], width: number): Uint8Array {
  const step = planes.length * width;
  const out = new Uint8Array(planes.reduce((sum, plane) => sum + plane.length, 0));
  planes.forEach((plane, component) => {
    for (let byte = 0; byte < width; byte++)
      for (let from = byte, to = component * width + byte; from < plane.length; from += width, to += step)
        out[to] = plane[from]!;
  });
  return out;
}

/** Views of the planes that lie one behind the other. */
export function splitPlanes(bytes: Uint8Array, count: number): Uint8Array[] {
  const length = bytes.length / count;
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
}
