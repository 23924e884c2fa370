/** The WebAssembly files of our codecs, relative to node_modules: bundles carry them beside the codec worker. */
export const CODEC_ASSETS = ['@cornerstonejs/codec-openjph/dist/openjphjs.wasm'];
