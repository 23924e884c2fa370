/**
 * Decodes a reversible or lossy HTJ2K codestream to interleaved little-endian samples, working round the known
 * faults of codec-openjph. Each repair is proven in test/pixels against OpenJPEG and OpenJPH outside of this process.
 */
import { asSamples } from '../canonical.ts';
import { MAX_FRAME_BYTES, sampleWidth } from '../description.ts';
import { CodecError } from '../errors.ts';
import type { SampleBlock } from '../samples.ts';
import { type Codestream, type CodestreamHeader, sizeAtLevel, tileParts } from './codestream.ts';
import type { OpenJphDecoder, OpenJphModule } from './openjph.ts';

/** Whether codec-openjph, with our repairs, decodes this codestream rightly; all else goes to OpenJPEG. */
export function suitsOpenJph(header: CodestreamHeader): boolean {
  const [first] = header.components;
  return (
    header.highThroughput &&
    header.components.length <= 4 &&
    header.offsetX === 0 &&
    header.offsetY === 0 &&
    !(header.colourTransform && header.components.length !== 3) &&
    header.components.every(
      (c) =>
        c.dx === 1 &&
        c.dy === 1 &&
        c.precision <= 16 &&
        c.precision === first?.precision &&
        c.signed === first.signed,
    )
  );
}

/** Bounds that hold before any codec allocates: bytes of the frame, and the tile-part chain. Throws CodecError. */
export function checkCodestream(codestream: Codestream, level: number): void {
  const { header } = codestream;
  if (!Number.isInteger(level) || level < 0 || level > header.decompositions)
    throw new CodecError(
      'FrameUnsupported',
      `level ${level} of a codestream with ${header.decompositions} decompositions`,
    );
  const [first] = header.components;
  const bytes = header.rows * header.columns * header.components.length * sampleWidth(first?.precision ?? 8);
  if (bytes > MAX_FRAME_BYTES)
    throw new CodecError(
      'FrameTooLarge',
      `the codestream's frame of ${bytes} bytes is over the bound of ${MAX_FRAME_BYTES}`,
      {
        bytes,
      },
    );
  tileParts(codestream);
}

/**
 * Decodes at `level` halvings below full resolution and hands the samples to `use`. `checkCodestream` must have
 * passed. Any sign of trouble throws FrameCorrupt; the caller then drops the module.
 */
export function decodeHtj2k<T>(
  module: OpenJphModule,
  codestream: Codestream,
  level: number,
  use: (samples: SampleBlock) => T,
): T {
  const { header } = codestream;
  const decoder = new module.HTJ2KDecoder();
  try {
    const view = runDecoder(decoder, codestream, level);
    const samples = repair(view, header, level);
    return use(samples);
  } finally {
    decoder.delete();
  }
}

function runDecoder(decoder: OpenJphDecoder, codestream: Codestream, level: number): Uint8Array {
  const { bytes, header } = codestream;
  const [first] = header.components;
  const input = decoder.getEncodedBuffer(bytes.length);
  input.set(bytes);
  if (isNarrowSigned(header)) markUnsigned(input, header);
  try {
    if (level === 0) decoder.decode();
    else decoder.decodeSubResolution(level);
  } catch (cause) {
    throw new CodecError(
      'FrameCorrupt',
      'codestream: the decoder gave up',
      {},
      { cause: describeThrown(cause) },
    );
  }
  const message = decoder.getLastErrorMessage();
  if (message) throw new CodecError('FrameCorrupt', `codestream: ${firstLine(message)}`);
  const info = decoder.getFrameInfo();
  if (
    info.width !== header.columns ||
    info.height !== header.rows ||
    info.componentCount !== header.components.length ||
    info.bitsPerSample !== first?.precision
  )
    throw new CodecError('FrameCorrupt', 'codestream: the decoder read another header than we did');
  return decoder.getDecodedBuffer();
}

/**
 * Makes SIZ say "unsigned": the samples come out right but for the offset, because the sign decides about the level
 * shift only (T.800 G.1), not about any coefficient.
 */
export function markUnsigned(codestream: Uint8Array, header: CodestreamHeader): void {
  header.components.forEach(({ precision }, index) => {
    codestream[header.componentsAt + 3 * index] = precision - 1;
  });
}

function repair(view: Uint8Array, header: CodestreamHeader, level: number): SampleBlock {
  const [first] = header.components;
  const { precision, signed } = first!;
  const { rows, columns } = sizeAtLevel(header, level);
  const samplesPerPixel = header.components.length;
  const width = sampleWidth(precision);
  const wanted = rows * columns * samplesPerPixel * width;
  if (view.length !== wanted)
    throw new CodecError('FrameCorrupt', `codestream: wanted ${wanted} decoded bytes, got ${view.length}`);
  const unscrambled =
    samplesPerPixel > 1 && !header.colourTransform
      ? unscrambleLines(view, rows, columns, samplesPerPixel, width)
      : view;
  const clamped = clampSamples(unscrambled, header);
  return { pixels: clamped, rows, columns, samplesPerPixel, precision, signed, owned: clamped !== view };
}

/** Signed samples of up to 8 bits: both wrappers clamp them to 0..255. */
export function isNarrowSigned(header: CodestreamHeader): boolean {
  const [first] = header.components;
  return first?.signed === true && first.precision <= 8;
}

/**
 * Without the colour transform the wrapper asks OpenJPH for planes (component after component) but files the
 * lines as if they came pixel row by pixel row: pull k is component ⌊k / rows⌋, line k mod rows, and was written
 * to row ⌊k / components⌋, sample k mod components.
 */
function unscrambleLines(
  view: Uint8Array,
  rows: number,
  columns: number,
  components: number,
  width: number,
): Uint8Array {
  const from = width === 1 ? view : new Uint16Array(view.slice().buffer);
  const out = width === 1 ? new Uint8Array(view.length) : new Uint16Array(view.length / 2);
  for (let pull = 0; pull < rows * components; pull++) {
    let read = Math.floor(pull / components) * columns * components + (pull % components);
    let write = (pull % rows) * columns * components + Math.floor(pull / rows);
    for (let x = 0; x < columns; x++, read += components, write += components) out[write] = from[read]!;
  }
  return new Uint8Array(out.buffer);
}

/**
 * Clamps as T.800 G.1.2 asks, which only lossy coding needs, and takes the level shift back from narrow signed
 * samples.
 */
export function clampSamples(bytes: Uint8Array, header: CodestreamHeader): Uint8Array {
  const { precision, signed } = header.components[0]!;
  const width = sampleWidth(precision);
  const shifted = isNarrowSigned(header);
  if (!shifted && (header.reversible || precision === width * 8)) return bytes;
  const low = signed && !shifted ? -(2 ** (precision - 1)) : 0;
  const high = low + 2 ** precision - 1;
  const samples = asSamples(bytes, width, signed && !shifted);
  if (!shifted && !isOutside(samples, low, high)) return bytes;
  const back = shifted ? 2 ** (precision - 1) : 0;
  const out = asSamples(new Uint8Array(bytes.length), width, signed);
  for (let index = 0; index < samples.length; index++)
    out[index] = Math.min(Math.max(samples[index]!, low), high) - back;
  return new Uint8Array(out.buffer);
}

function isOutside(samples: ArrayLike<number>, low: number, high: number): boolean {
  for (let index = 0; index < samples.length; index++) {
    const value = samples[index]!;
    if (value < low || value > high) return true;
  }
  return false;
}

/** Emscripten throws pointers, strings and errors alike; only a short text goes on. */
export function describeThrown(thrown: unknown): string {
  return firstLine(thrown instanceof Error ? thrown.message || thrown.name : `thrown ${typeof thrown}`);
}

function firstLine(text: string): string {
  return (text.split('\n', 1)[0] ?? '').slice(0, 200);
}
