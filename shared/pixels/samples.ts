/** What every decoder of a compressed frame gives: samples of the stream's own precision, before the data set's say. */
export interface SampleBlock {
  /** Interleaved, little-endian, 1 byte a sample up to 8 bits, else 2. */
  readonly pixels: Uint8Array;
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  /** Bits a sample, as the stream says. */
  readonly precision: number;
  readonly signed: boolean;
  /** False: a view of the codec's memory, valid only until the codec is asked again. */
  readonly owned: boolean;
}
