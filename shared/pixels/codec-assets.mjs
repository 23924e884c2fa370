/** The WebAssembly files of our codecs, relative to node_modules: bundles carry them beside the codec worker. */
export const CODEC_ASSETS = [
  '@cornerstonejs/codec-openjph/dist/openjphjs.wasm',
  '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm',
  '@cornerstonejs/codec-charls/dist/charlswasm_decode.wasm',
  'dcmjs-codecs/build/dcmjs-native-codecs.wasm',
];
