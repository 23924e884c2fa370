/** dcmtk as encoder and as judge: P10 objects through its programs, and back as canonical frames. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { type WriteP10, writeP10 } from '../../shared/dicom/write.ts';
import { canonicalPixels } from '../../shared/pixels/canonical.ts';
import type { ImageDescription } from '../../shared/pixels/description.ts';
import type { SourceFrame } from '../../shared/pixels/frame-operations.ts';
import { openFrames } from '../../shared/pixels/frames.ts';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

/** A P10 object of the described image; `pixelData` as it shall lie in the file. */
export function imageObject(description: ImageDescription, pixelData: WriteP10['pixelData']): Uint8Array {
  const { samplesPerPixel, frames } = description;
  return writeP10({
    transferSyntaxUID: description.transferSyntaxUID,
    elements: {
      SOPClassUID: SECONDARY_CAPTURE,
      SOPInstanceUID: '2.25.1001',
      StudyInstanceUID: '2.25.1002',
      SeriesInstanceUID: '2.25.1003',
      PatientName: 'Phantom',
      PatientID: 'P1',
      Modality: 'OT',
      Rows: description.rows,
      Columns: description.columns,
      SamplesPerPixel: samplesPerPixel,
      BitsAllocated: description.bitsAllocated,
      BitsStored: description.bitsStored,
      HighBit: description.highBit,
      PixelRepresentation: description.signed ? 1 : 0,
      PhotometricInterpretation: description.photometricInterpretation,
      ...(samplesPerPixel > 1 && { PlanarConfiguration: description.planarConfiguration }),
      ...(frames > 1 && { NumberOfFrames: String(frames) }),
    },
    ...(pixelData && { pixelData }),
  });
}

/** The object through one of dcmtk's programs. Throws when it refuses. */
export function throughDcmtk(
  folder: string,
  program: string,
  object: Uint8Array,
  options: readonly string[],
): Uint8Array {
  const [input, output] = [join(folder, 'in.dcm'), join(folder, 'out.dcm')];
  writeFileSync(input, object);
  execFileSync(program, [...options, input, output], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Uint8Array(readFileSync(output));
}

/** All frames of an object as the codecs take them. */
export async function framesOf(object: Uint8Array): Promise<SourceFrame[]> {
  const source = await openFrames(await readP10(bufferSource(object)));
  const { description } = source;
  const { transferSyntaxUID } = description;
  return Promise.all(
    Array.from({ length: source.frameCount }, async (_, index) => ({
      encoded: await source.encodedFrame(index),
      transferSyntaxUID,
      description,
    })),
  );
}

/** The frames of an object that dcmtk wrote without compression. */
export async function nativeFrames(object: Uint8Array): Promise<Uint8Array[]> {
  const frames = await framesOf(object);
  return frames.map(({ encoded, description }) => canonicalPixels(encoded, description));
}
