/**
 * From decoded samples to what is seen: modality rescale, window, photometric interpretation (PS3.3 C.7.6.3.1.2,
 * C.11.1, C.11.2). For looking, not for diagnosis. Pure.
 */
import { type Attributes, numberOf, numbersOf, textOf } from '../image-sets/document.ts';

export interface Frame {
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly bitsStored: number;
  readonly signed: boolean;
}

/** In rescaled values: Hounsfield units where the slope and intercept say so. */
export interface Window {
  readonly centre: number;
  readonly width: number;
}

export interface Look {
  readonly slope: number;
  readonly intercept: number;
  readonly photometric: string;
  /** The one that the data set names first. */
  readonly window?: Window;
  readonly padding?: number;
  readonly palette?: Palette;
}

interface Palette {
  readonly first: number;
  readonly red: Uint8Array;
  readonly green: Uint8Array;
  readonly blue: Uint8Array;
}

export function lookOf(attributes: Attributes): Look {
  const [centre] = numbersOf(attributes.WindowCenter);
  const [width] = numbersOf(attributes.WindowWidth);
  const padding = numberOf(attributes.PixelPaddingValue);
  const photometric = textOf(attributes.PhotometricInterpretation);
  const palette = photometric === 'PALETTE COLOR' ? paletteOf(attributes) : undefined;
  return {
    slope: numberOf(attributes.RescaleSlope) || 1,
    intercept: numberOf(attributes.RescaleIntercept) ?? 0,
    photometric,
    ...(centre !== undefined && width !== undefined && width >= 1 ? { window: { centre, width } } : {}),
    ...(padding === undefined ? {} : { padding }),
    ...(palette ? { palette } : {}),
  };
}

function paletteOf(attributes: Attributes): Palette | undefined {
  const [entries = 0, first = 0, bits = 16] = numbersOf(attributes.RedPaletteColorLookupTableDescriptor);
  const length = entries === 0 ? 65_536 : entries;
  const table = (colour: string) =>
    tableOf(textOf(attributes[`${colour}PaletteColorLookupTableData`]), length, bits);
  const [red, green, blue] = [table('Red'), table('Green'), table('Blue')];
  return red && green && blue ? { first, red, green, blue } : undefined;
}

/** Base64 of little-endian words, or of bytes when the descriptor says 8 bits. */
function tableOf(base64: string, length: number, bits: number): Uint8Array | undefined {
  if (base64 === '') return undefined;
  const raw = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const isBytes = bits === 8 && raw.length < length * 2;
  const out = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    if (isBytes) out[index] = raw[index] ?? 0;
    else out[index] = bits === 8 ? (raw[index * 2] ?? 0) : (raw[index * 2 + 1] ?? 0);
  }
  return out;
}

/** The samples as numbers: 1, 2 or 4 little-endian bytes each. */
export function samplesOf({ pixels, bitsStored, signed }: Frame): ArrayLike<number> {
  if (bitsStored <= 8)
    return signed ? new Int8Array(pixels.buffer, pixels.byteOffset, pixels.length) : pixels;
  const aligned = pixels.byteOffset % 4 === 0 ? pixels : pixels.slice();
  const { buffer, byteOffset, byteLength } = aligned;
  if (bitsStored <= 16)
    return signed
      ? new Int16Array(buffer, byteOffset, byteLength / 2)
      : new Uint16Array(buffer, byteOffset, byteLength / 2);
  return signed
    ? new Int32Array(buffer, byteOffset, byteLength / 4)
    : new Uint32Array(buffer, byteOffset, byteLength / 4);
}

/** A window over all values but the padding, for data sets that name none. */
export function windowOfValues(frame: Frame, { slope, intercept, padding }: Look): Window {
  const samples = samplesOf(frame);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < samples.length; index++) {
    const value = samples[index] as number;
    if (value === padding) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (high < low) [low, high] = [0, 1];
  const a = low * slope + intercept;
  const b = high * slope + intercept;
  return { centre: (a + b) / 2 + 0.5, width: Math.max(1, Math.abs(b - a) + 1) };
}

/** RGBA bytes of the frame. */
export function toRgba(frame: Frame, look: Look, window: Window): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(frame.rows * frame.columns * 4);
  if (frame.samplesPerPixel >= 3) drawColour(frame, look, out);
  else if (look.palette) drawPalette(frame, look.palette, out);
  else drawGrey(frame, look, window, out);
  return out;
}

/** PS3.3 C.11.2.1.2.1: the linear window function. */
export function grey(value: number, { centre, width }: Window): number {
  if (width <= 1) return value <= centre - 0.5 ? 0 : 255;
  return Math.round(Math.min(1, Math.max(0, (value - (centre - 0.5)) / (width - 1) + 0.5)) * 255);
}

function drawGrey(frame: Frame, look: Look, window: Window, out: Uint8ClampedArray): void {
  const samples = samplesOf(frame);
  const isInverse = look.photometric === 'MONOCHROME1';
  const shade = (sample: number) => {
    const value = grey(sample * look.slope + look.intercept, window);
    return isInverse ? 255 - value : value;
  };
  const low = frame.signed ? -(2 ** (Math.min(frame.bitsStored, 16) - 1)) : 0;
  const table =
    frame.bitsStored <= 16
      ? Uint8Array.from({ length: 2 ** frame.bitsStored }, (_, i) => shade(i + low))
      : undefined;
  for (let index = 0, to = 0; index < samples.length; index++, to += 4) {
    const sample = samples[index] as number;
    const value = table ? (table[sample - low] as number) : shade(sample);
    out[to] = value;
    out[to + 1] = value;
    out[to + 2] = value;
    out[to + 3] = 255;
  }
}

function drawPalette(frame: Frame, palette: Palette, out: Uint8ClampedArray): void {
  const samples = samplesOf(frame);
  const last = palette.red.length - 1;
  for (let index = 0, to = 0; index < samples.length; index++, to += 4) {
    const entry = Math.min(last, Math.max(0, (samples[index] as number) - palette.first));
    out[to] = palette.red[entry] as number;
    out[to + 1] = palette.green[entry] as number;
    out[to + 2] = palette.blue[entry] as number;
    out[to + 3] = 255;
  }
}

function drawColour(frame: Frame, { photometric }: Look, out: Uint8ClampedArray): void {
  const samples = samplesOf(frame);
  const shift = Math.max(0, frame.bitsStored - 8);
  const isYbr = photometric.startsWith('YBR_FULL');
  for (let index = 0, to = 0; to < out.length; index += frame.samplesPerPixel, to += 4) {
    const a = (samples[index] as number) >> shift;
    const b = (samples[index + 1] as number) >> shift;
    const c = (samples[index + 2] as number) >> shift;
    // PS3.3 C.7.6.3.1.2: YBR_FULL as in CCIR 601
    out[to] = isYbr ? a + 1.402 * (c - 128) : a;
    out[to + 1] = isYbr ? a - 0.344136 * (b - 128) - 0.714136 * (c - 128) : b;
    out[to + 2] = isYbr ? a + 1.772 * (b - 128) : c;
    out[to + 3] = 255;
  }
}
