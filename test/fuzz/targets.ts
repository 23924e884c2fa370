/** What the fuzzer can throw its inputs at. A target answers with a code; anything it throws is a finding. */
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { datasetDigest, normalisedElementDigests } from '../../shared/dicom/digest.ts';
import { toMetadata } from '../../shared/dicom/metadata.ts';
import { DicomError, readP10 } from '../../shared/dicom/p10.ts';
import { inspectObject } from '../../shared/ingest/inspect.ts';
import { OUTCOMES } from '../../shared/ingest/outcomes.ts';
import { CodecError } from '../../shared/pixels/errors.ts';
import { openFrames } from '../../shared/pixels/frames.ts';

/** `run` is the number of the input: targets alternate with it between their variants. */
export type Target = (bytes: Uint8Array, run: number) => Promise<string>;

async function inspect(bytes: Uint8Array, run: number): Promise<string> {
  const profile = run % 2 === 0 ? 'current' : '2024';
  const verdict = await inspectObject(bufferSource(bytes), { key: `fuzz/${run}`, profile });
  if (verdict.verdict === 'accepted') {
    if (!/^[0-9a-f]{64}$/.test(verdict.datasetDigest)) throw new Error('a digest that is none');
    if (!(Number.isSafeInteger(verdict.frames) && verdict.frames >= 0))
      throw new Error(`frames: ${verdict.frames}`);
    return 'accepted';
  }
  if (OUTCOMES[verdict.code].kind !== 'reject') throw new Error(`a verdict of no reject: ${verdict.code}`);
  if (verdict.message.length > 5000) throw new Error(`a message of ${verdict.message.length} characters`);
  return verdict.code;
}

async function metadata(bytes: Uint8Array): Promise<string> {
  try {
    const p10 = await readP10(bufferSource(bytes));
    JSON.stringify(await toMetadata(p10));
    await datasetDigest(p10);
    await normalisedElementDigests(p10);
    return 'read';
  } catch (error) {
    if (error instanceof DicomError) return error.code;
    throw error;
  }
}

/** Frames by their ranges, not decoded: the first, the last, and one in between. */
async function frames(bytes: Uint8Array): Promise<string> {
  try {
    const source = await openFrames(await readP10(bufferSource(bytes)));
    const { frameCount } = source;
    for (const index of new Set([0, frameCount >> 1, frameCount - 1]))
      if (index >= 0 && index < frameCount) await source.encodedFrame(index);
    return frameCount > 0 ? 'framed' : 'no frames';
  } catch (error) {
    if (error instanceof DicomError || error instanceof CodecError) return error.code;
    throw error;
  }
}

export const TARGETS: Readonly<Record<string, Target>> = { inspect, metadata, frames };

/** A target that takes many inputs at once, and has something to start and to stop. */
export interface BatchTarget {
  /** One code for each input, in order; a code that begins with `!` is a finding. */
  run(inputs: readonly { readonly run: number; readonly bytes: Uint8Array }[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Opened only when asked for: the importer brings its servers and codecs along. */
export const BATCH_TARGETS: Readonly<
  Record<string, { readonly size: number; open(): Promise<BatchTarget> }>
> = {
  import: { size: 200, open: async () => (await import('./import-target.ts')).openImportTarget() },
};
