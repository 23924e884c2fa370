/**
 * The JPEG 2000 encoder, for whoever stores frames as 1.2.840.10008.1.2.4.90: a codec of its own, since the functions and
 * browsers that only decode need not carry it. Its WebAssembly is looked up in node_modules, never copied to a bundle.
 */
import openJpegEncoder from '@cornerstonejs/codec-openjpeg/wasmjs';
import { type CodecParts, emscripten } from './modules.ts';

export const JPEG2000_PART: CodecParts = {
  jpeg2000Encoder: {
    wasm: '@cornerstonejs/codec-openjpeg/dist/openjpegwasm.wasm',
    start: emscripten(openJpegEncoder),
  },
};
