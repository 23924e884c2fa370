/**
 * `isocenter/verify` in browsers and web workers: the same two functions as on Node. The WebAssembly files are
 * fetched from beside this module, or from where `setCodecUrl` says, when first needed.
 */
import { crc32 } from '../pixels/crc32.ts';
import { CodecError } from '../pixels/errors.ts';
import { createCodecModules } from '../pixels/modules.ts';
import { createVerifier } from './verifier.ts';

export type { ImageDescription } from '../pixels/description.ts';
export { CodecError, type CodecErrorCode } from '../pixels/errors.ts';
export type { DecodedFrame, FrameChecksum, FrameProof, SourceFrame } from '../pixels/frame-operations.ts';
export type { FrameExpectation, FrameMismatch } from '../pixels/judge-frame.ts';
export type { DecodeOptions, FrameVerdict, Verifier } from './verifier.ts';

let codecUrl = new URL('.', import.meta.url);

/** The folder that serves the WebAssembly files; before the first frame. */
export function setCodecUrl(url: string | URL): void {
  codecUrl = new URL(url, import.meta.url);
}

async function loadWasm(asset: string): Promise<Uint8Array<ArrayBuffer>> {
  const name = asset.slice(asset.lastIndexOf('/') + 1);
  const response = await fetch(new URL(name, codecUrl));
  if (!response.ok) throw new CodecError('CodecCrashed', `${name} was not served: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export const { verifyFrame, decodeFrame } = createVerifier({ modules: createCodecModules(loadWasm), crc32 });
