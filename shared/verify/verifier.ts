/** Frames decoded and proven in this thread, for viewers and pipelines; the codecs and the CRC-32 are handed in. */
import { decodeCodestream, decodeSource } from '../pixels/decode-source.ts';
import type { ImageDescription } from '../pixels/description.ts';
import { CodecError, type CodecErrorCode } from '../pixels/errors.ts';
import {
  type DecodedFrame,
  type FrameProof,
  type FrameTools,
  type SourceFrame,
  verifyFrame,
} from '../pixels/frame-operations.ts';
import { openCodestream } from '../pixels/htj2k/codestream.ts';
import {
  type FrameExpectation,
  type FrameMismatch,
  judgeFrame,
  levelsToVerify,
} from '../pixels/judge-frame.ts';

/** Either `verified`, or not and why: what differs, or why the frame could not be decoded. */
export interface FrameVerdict {
  readonly verified: boolean;
  readonly mismatches: readonly FrameMismatch[];
  readonly proof?: FrameProof;
  readonly error?: { readonly code: CodecErrorCode; readonly message: string };
}

export interface DecodeOptions {
  /** Halvings below full resolution: 1 is half of the width and height. */
  readonly level?: number;
  /** For frames that are no JPEG 2000 or HTJ2K codestream: their syntax, and what the data set says of the pixels. */
  readonly transferSyntaxUID?: string;
  readonly description?: ImageDescription;
}

export interface Verifier {
  /**
   * Decodes a codestream and compares it with what the metadata says, and with its source when given. Damage is a
   * verdict, not an exception.
   */
  verifyFrame(
    codestream: Uint8Array,
    expected: FrameExpectation,
    options?: { readonly source?: SourceFrame },
  ): Promise<FrameVerdict>;
  /** Canonical pixels (little-endian, interleaved, 1, 2 or 4 bytes a sample) and their CRC-32. Throws CodecError. */
  decodeFrame(encoded: Uint8Array, options?: DecodeOptions): Promise<DecodedFrame>;
}

export function createVerifier(tools: FrameTools): Verifier {
  return {
    async verifyFrame(codestream, expected, options = {}) {
      try {
        const levels = levelsToVerify(expected);
        const proof = await verifyFrame(tools, codestream, { ...options, ...(levels && { levels }) });
        const mismatches = judgeFrame(proof, expected);
        return { verified: mismatches.length === 0 && proof.source !== 'differs', mismatches, proof };
      } catch (error) {
        if (!(error instanceof CodecError)) throw error;
        return { verified: false, mismatches: [], error: { code: error.code, message: error.message } };
      }
    },

    async decodeFrame(encoded, { level = 0, transferSyntaxUID, description } = {}) {
      const decoded =
        transferSyntaxUID && description
          ? await decodeSource(tools.modules, { encoded, transferSyntaxUID, description }, level)
          : await decodeBare(tools, encoded, level);
      const { pixels, rows, columns, samplesPerPixel, bitsStored, signed, unusedBits } = decoded;
      const crc32 = tools.crc32(pixels);
      return { pixels, rows, columns, samplesPerPixel, bitsStored, signed, unusedBits, crc32 };
    },
  };
}

/** A codestream by its own header. */
function decodeBare(
  tools: FrameTools,
  encoded: Uint8Array,
  level: number,
): Promise<Omit<DecodedFrame, 'crc32'>> {
  return decodeCodestream(tools.modules, openCodestream(encoded), level, (block) => {
    const { rows, columns, samplesPerPixel, precision, signed, owned } = block;
    const pixels = owned ? block.pixels : block.pixels.slice();
    return { pixels, rows, columns, samplesPerPixel, bitsStored: precision, signed, unusedBits: false };
  });
}
