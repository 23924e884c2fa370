/**
 * Damaged frames of every compressed syntax in the shared material, through the pool: each gives a whole frame or a
 * CodecError within the deadline, and the pool lives on.
 */
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { canonicalFrameBytes } from '../../shared/pixels/description.ts';
import { CodecError } from '../../shared/pixels/errors.ts';
import { type ImageDescription, openFrames } from '../../shared/pixels/frames.ts';
import { readShared } from '../shared-material.ts';
import { mutate } from './mutations.ts';

/** One small file a syntax, and colour where there is one. */
const FILES = [
  'syntaxes/CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm',
  'color/SC_rgb_dcmtk_+eb+cy+n2.dcm',
  'syntaxes/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm',
  'syntaxes/CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm',
  'color/SC_rgb_jpeg_gdcm.dcm',
  'syntaxes/CT0012.fragmented_no_bot_jpeg_lossless.57.dcm',
  'syntaxes/JLSL_08_07_0_1F.dcm',
  'syntaxes/JLSL_RGB_ILV1.dcm',
  'syntaxes/JPEGLSNearLossless_08.dcm',
  'syntaxes/MR_small_jp2klossless.dcm',
  'syntaxes/JPEG2000.dcm',
  'multiframe/emri_small_RLE.dcm',
  'derived/CT_small_htj2k_lossless_201.dcm',
];

export interface SourceFuzzReport {
  readonly inputs: number;
  readonly decoded: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Seeds with another outcome than a whole frame or a CodecError: must be empty. */
  readonly wrong: readonly { seed: number; file: string; outcome: string }[];
  readonly slowestMs: number;
  readonly residentAtStart: number;
  readonly residentAtEnd: number;
}

interface Sound {
  readonly path: string;
  readonly encoded: Uint8Array;
  readonly description: ImageDescription;
}

async function soundFrame(path: string): Promise<Sound> {
  const source = await openFrames(await readP10(bufferSource(readShared(path))));
  return { path, encoded: await source.encodedFrame(0), description: source.description };
}

export async function fuzzSources(options: {
  readonly inputs: number;
  readonly seed: number;
  readonly deadlineMs: number;
}): Promise<SourceFuzzReport> {
  const pool = createCodecPool({ workers: 1, deadlineMs: options.deadlineMs });
  const sound = await Promise.all(FILES.map(soundFrame));
  const refused: Record<string, number> = {};
  const wrong: { seed: number; file: string; outcome: string }[] = [];
  let [decoded, slowestMs, residentAtStart] = [0, 0, 0];
  for (let index = 0; index < options.inputs; index++) {
    if (index === Math.ceil(options.inputs / 10)) residentAtStart = process.memoryUsage.rss();
    const seed = options.seed + index;
    const { path: file, encoded, description } = sound[index % sound.length]!;
    const { bytes } = mutate(encoded, seed);
    const started = performance.now();
    try {
      const frame = await pool.decode(bytes, description.transferSyntaxUID, description);
      if (frame.pixels.length === canonicalFrameBytes(description)) decoded++;
      else wrong.push({ seed, file, outcome: `${frame.pixels.length} bytes` });
    } catch (error) {
      if (error instanceof CodecError) refused[error.code] = (refused[error.code] ?? 0) + 1;
      else wrong.push({ seed, file, outcome: String(error) });
    }
    slowestMs = Math.max(slowestMs, performance.now() - started);
  }
  const residentAtEnd = process.memoryUsage.rss();
  await pool.close();
  return { inputs: options.inputs, decoded, refused, wrong, slowestMs, residentAtStart, residentAtEnd };
}
