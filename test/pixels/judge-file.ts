/** One file of the shared material, decoded, and compared with what the manifest's independent decoder gave. */
import { crc32 } from 'node:zlib';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { asSamples } from '../../shared/pixels/canonical.ts';
import type { CodecPool, DecodedFrame } from '../../shared/pixels/codec-pool.ts';
import { type ImageDescription, openFrames } from '../../shared/pixels/frames.ts';
import { type ManifestFile, readShared } from '../shared-material.ts';
import { nativeForms } from './native-forms.ts';

export interface FileJudgement {
  readonly frames: number;
  /** Frames whose CRC32 is the manifest's, in the plain or an explained form. */
  readonly exact: number;
  /** Frames of a lossy file whose statistics are the manifest's within a rounding. */
  readonly within: number;
  readonly different: number;
  /** Frames without an independent truth. */
  readonly untold: number;
  /** The forms of the native bytes that matched (native-forms.ts). */
  readonly forms: readonly string[];
  /** What differed, for a reader. */
  readonly problem?: string;
}

/** Throws DicomError or CodecError when the file or a frame is refused. */
export async function judgeFile(pool: CodecPool, file: ManifestFile): Promise<FileJudgement> {
  const source = await openFrames(await readP10(bufferSource(readShared(file.path))));
  const { description, frameCount: frames } = source;
  const none = { frames, exact: 0, within: 0, different: 0, untold: 0, forms: [] };
  const decoded: DecodedFrame[] = [];
  const forms: string[] = [];
  for (let index = 0; index < frames; index++) {
    const encoded = await source.encodedFrame(index);
    const frame = await pool.decode(encoded, description.transferSyntaxUID, description);
    forms.push(matchingForm(file, index, encoded, frame, description));
    if (!file.truth?.exact) decoded.push(frame);
  }
  const { truth } = file;
  if (!truth?.framesCrc32) return { ...none, untold: frames };
  if (truth.framesCrc32.length !== frames)
    return { ...none, different: frames, problem: `${frames} frames, wanted ${truth.framesCrc32.length}` };
  const exact = forms.filter((form) => form !== 'none').length;
  const judged = { ...none, exact, forms: [...new Set(forms)].filter((form) => form !== 'none') };
  if (exact === frames) return judged;
  const problem = truth.exact ? 'CRC32 differs' : statisticsDiffer(decoded, truth, description);
  const rest = frames - exact;
  return problem ? { ...judged, different: rest, problem } : { ...judged, within: rest };
}

function matchingForm(
  file: ManifestFile,
  index: number,
  encoded: Uint8Array,
  frame: DecodedFrame,
  description: ImageDescription,
): string {
  const truth = file.truth;
  if (truth?.withoutColourConversion?.framesCrc32?.[index] === frame.crc32) return 'colours not converted';
  const wanted = truth?.framesCrc32?.[index];
  if (wanted === undefined) return 'none';
  for (const [name, bytes] of nativeForms(
    encoded,
    frame.pixels,
    description,
    truth?.planarConfiguration ?? null,
  ))
    if (crc32(bytes) === wanted) return name;
  return 'none';
}

/** Smallest, largest and mean value against the truth; undefined when they agree within the codec's rounding. */
function statisticsDiffer(
  frames: readonly DecodedFrame[],
  truth: NonNullable<ManifestFile['truth']>,
  description: ImageDescription,
): string | undefined {
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const { pixels, bitsStored, signed } of frames)
    for (const value of asSamples(pixels, bitsStored <= 8 ? 1 : 2, signed)) {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      count++;
    }
  const mean = sum / count;
  const slack = 2 ** Math.max(0, description.bitsStored - 8) + 1;
  const isNear =
    Math.abs(min - truth.min) <= slack &&
    Math.abs(max - truth.max) <= slack &&
    Math.abs(mean - truth.mean) < 0.1;
  return isNear
    ? undefined
    : `min ${min}, max ${max}, mean ${mean.toFixed(3)}; wanted ${truth.min}, ${truth.max}, ${truth.mean}`;
}
