/** The frame operations in this thread, with the codecs of node_modules: for tests of many small frames. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { locateAsset } from '../../shared/pixels/codec-assets.mjs';
import type { FrameTools } from '../../shared/pixels/frame-operations.ts';
import { JPEG2000_PART } from '../../shared/pixels/jpeg2000-part.ts';
import { createCodecModules } from '../../shared/pixels/modules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export function nodeTools(): FrameTools {
  const load = async (asset: string) => new Uint8Array(await readFile(locateAsset(asset, root)!));
  return { modules: createCodecModules(load, JPEG2000_PART), crc32 };
}
