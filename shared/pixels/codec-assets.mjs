/** The WebAssembly files of our codecs, relative to node_modules: bundles carry them beside the codec worker. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export const CODEC_ASSETS = [
  '@cornerstonejs/codec-openjph/dist/openjphjs.wasm',
  '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm',
  '@cornerstonejs/codec-charls/dist/charlswasm_decode.wasm',
  'dcmjs-codecs/build/dcmjs-native-codecs.wasm',
];

/** Path of an asset: beside `folder`'s files, or in a node_modules of `folder` or above; undefined when in neither. */
export function locateAsset(asset, folder) {
  const candidates = [join(folder, basename(asset))];
  for (let above = folder; ; above = dirname(above)) {
    candidates.push(join(above, 'node_modules', asset));
    if (above === dirname(above)) break;
  }
  return candidates.find((candidate) => existsSync(candidate));
}
