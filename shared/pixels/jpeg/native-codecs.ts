/**
 * The WebAssembly module of dcmjs-codecs, used directly: IJG's libjpeg with lossless processes at 8, 12 and 16
 * bits. It is plain C over one memory, so an instance can be thrown away at will, which its JavaScript cannot.
 */

export interface NativeCodecs {
  readonly HEAPU8: Uint8Array;
  readonly exports: NativeExports;
  /** What libjpeg had to say since the last call. */
  takeMessages(): string[];
}

type Context = number;

interface NativeExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize?(): void;
  CreateDecoderParameters(): number;
  ReleaseDecoderParameters(parameters: number): void;
  SetConvertColorspaceToRgb(parameters: number, on: number): void;
  CreateCodecsContext(): Context;
  ReleaseCodecsContext(context: Context): void;
  SetColumns(context: Context, value: number): void;
  SetRows(context: Context, value: number): void;
  SetBitsAllocated(context: Context, value: number): void;
  SetBitsStored(context: Context, value: number): void;
  SetSamplesPerPixel(context: Context, value: number): void;
  SetPixelRepresentation(context: Context, value: number): void;
  SetPlanarConfiguration(context: Context, value: number): void;
  SetPhotometricInterpretation(context: Context, value: number): void;
  SetEncodedBufferSize(context: Context, bytes: number): void;
  GetEncodedBuffer(context: Context): number;
  GetDecodedBuffer(context: Context): number;
  GetDecodedBufferSize(context: Context): number;
  DecodeJpeg(context: Context, parameters: number): void;
}

/** Longest message of libjpeg that is kept, in bytes, and how many. */
const MESSAGE_BYTES = 200;
const MESSAGES = 20;

/** Instantiates the compiled module by `instantiate`; the imports are the few of WASI that it asks for, all inert. */
export function createNativeCodecs(instantiate: (imports: object) => object): NativeCodecs {
  let messages: string[] = [];
  const memory = () => new Uint8Array(exports.memory.buffer);
  const read = (at: number, length: number) =>
    String.fromCharCode(...memory().subarray(at, at + Math.min(length, MESSAGE_BYTES)));
  const imports = {
    env: {
      emscripten_notify_memory_growth: () => {},
      onCodecsTrace: () => {},
      onCodecsInfo: (at: number, length: number) => {
        if (messages.length < MESSAGES) messages.push(read(at, length));
      },
      onCodecsException: (at: number, length: number) => {
        throw new Error(read(at, length));
      },
    },
    wasi_snapshot_preview1: {
      environ_get: () => 0,
      environ_sizes_get: (count: number, size: number) => {
        const view = new DataView(exports.memory.buffer);
        view.setUint32(count, 0, true);
        view.setUint32(size, 0, true);
        return 0;
      },
      proc_exit: (code: number) => {
        throw new Error(`the codec exited with ${code}`);
      },
      clock_time_get: (_clock: number, _precision: bigint, at: number) => {
        new DataView(exports.memory.buffer).setBigUint64(at, 0n, true);
        return 0;
      },
      fd_write: (_file: number, vectors: number, count: number, written: number) => {
        const view = new DataView(exports.memory.buffer);
        let bytes = 0;
        for (let index = 0; index < count; index++) bytes += view.getUint32(vectors + 8 * index + 4, true);
        view.setUint32(written, bytes, true);
        return 0;
      },
      fd_seek: () => 0,
      fd_close: () => 0,
    },
  };
  const exports = instantiate(imports) as NativeExports;
  exports._initialize?.();
  return {
    get HEAPU8() {
      return memory();
    },
    exports,
    takeMessages() {
      const taken = messages;
      messages = [];
      return taken;
    },
  };
}
