/**
 * `isocenter/verify` on Node: proves and decodes single frames in this thread. For hostile input or many frames use
 * `createCodecPool`: the same work in worker threads, with a deadline a frame.
 *
 * @example
 * import { verifyFrame, decodeFrame } from 'isocenter/verify';
 * const { verified, mismatches } = await verifyFrame(codestream, { checksums: frame.PixelDataChecksumFromBaseToFullResolution });
 * const { pixels, rows, columns } = await decodeFrame(codestream, { level: 1 });
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { locateAsset } from '../pixels/codec-assets.mjs';
import { CodecError } from '../pixels/errors.ts';
import { createCodecModules } from '../pixels/modules.ts';
import { createVerifier } from './verifier.ts';

export { type CodecPool, type CodecPoolOptions, createCodecPool } from '../pixels/codec-pool.ts';
export type { ImageDescription } from '../pixels/description.ts';
export { CodecError, type CodecErrorCode } from '../pixels/errors.ts';
export type { DecodedFrame, FrameChecksum, FrameProof, SourceFrame } from '../pixels/frame-operations.ts';
export type { FrameExpectation, FrameMismatch } from '../pixels/judge-frame.ts';
export type { DecodeOptions, FrameVerdict, Verifier } from './verifier.ts';

async function loadWasm(asset: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = locateAsset(asset, fileURLToPath(new URL('.', import.meta.url)));
  if (!path) throw new CodecError('CodecCrashed', `${asset} is not installed`);
  return new Uint8Array(await readFile(path));
}

export const { verifyFrame, decodeFrame } = createVerifier({ modules: createCodecModules(loadWasm), crc32 });
