/**
 * The shape of @cornerstonejs/codec-openjph that we use. Its known faults (parts.md) are handled in decode.ts
 * and encode.ts; nothing else may touch it.
 */
export interface OpenJphFrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
  readonly isUsingColorTransform: boolean;
}

export interface OpenJphDecoder {
  getEncodedBuffer(bytes: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  decodeSubResolution(level: number): void;
  getFrameInfo(): OpenJphFrameInfo;
  getLastErrorMessage(): string;
  delete(): void;
}

export interface OpenJphEncoder {
  getDecodedBuffer(info: OpenJphFrameInfo): Uint8Array;
  getEncodedBuffer(): Uint8Array;
  setQuality(lossless: boolean, quantisation: number): void;
  setTLMMarker(on: boolean): void;
  setTilePartDivisionsAtResolutions(on: boolean): void;
  setProgressionOrder(order: number): void;
  setDecompositions(count: number): void;
  setBlockDimensions(size: { width: number; height: number }): void;
  encode(): void;
  delete(): void;
}

export interface OpenJphModule {
  readonly HTJ2KDecoder: new () => OpenJphDecoder;
  readonly HTJ2KEncoder: new () => OpenJphEncoder;
  readonly HEAPU8: Uint8Array;
}
