/** GetDICOMInstance: a P10 object back, pixel by pixel what came in; judged by dcmtk where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bufferSource } from '../../../shared/dicom/byte-source.ts';
import { toMetadata } from '../../../shared/dicom/metadata.ts';
import { readP10, text } from '../../../shared/dicom/p10.ts';
import { writeP10 } from '../../../shared/dicom/write.ts';
import { createCodecPool } from '../../../shared/pixels/codec-pool.ts';
import { openFrames } from '../../../shared/pixels/frames.ts';
import { isInstalled, openJpegDecode, scratchFolder } from '../../pixels/outside-tools.ts';
import { eventually } from './client.ts';
import { SERIES, STUDY, slice, slicePixels } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { importedSet, settled, update } from './writes.ts';

const hasDcmtk = spawnSync('dcmdump', ['--version']).status === 0;
if (!hasDcmtk) console.warn('skipped: judging instances with dcmtk (dcmdump is not installed)');

const hasOpenJpeg = isInstalled('opj_decompress', 'libopenjp2-tools');
const JPEG_2000 = '1.2.840.10008.1.2.4.90';

let world: TestWorld;
const codecs = createCodecPool({ workers: 1 });
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(async () => {
  await codecs.close();
  await world.close();
});

async function getInstance(datastoreId: string, sopUID: string, accept?: string, imageSetId?: string) {
  const path = `/datastore/${datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${sopUID}`;
  const response = await fetch(
    `${world.server.endpoint}${path}${imageSetId ? `?imageSetId=${imageSetId}` : ''}`,
    {
      headers: accept === undefined ? {} : { accept },
    },
  );
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** CRC-32 of the canonical pixels of every frame. */
async function pixelsOf(bytes: Uint8Array): Promise<number[]> {
  const p10 = await readP10(bufferSource(bytes));
  const frames = await openFrames(p10);
  const { transferSyntaxUID } = frames.description;
  const crcs: number[] = [];
  for (let i = 0; i < frames.frameCount; i++) {
    crcs.push(
      (await codecs.decode(await frames.encodedFrame(i), transferSyntaxUID, frames.description)).crc32,
    );
  }
  return crcs;
}

test('explicit little endian is the default, with the same pixels and metadata', async () => {
  const source = slice({ number: 1 });
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': source });
  const { response, bytes } = await getInstance(datastoreId, `${SERIES}.1`);
  expect(response.headers.get('content-type')).toBe('application/dicom; transfer-syntax=1.2.840.10008.1.2.1');
  expect(await pixelsOf(bytes)).toEqual(await pixelsOf(source));
  const [before, after] = await Promise.all(
    [source, bytes].map(async (b) => toMetadata(await readP10(bufferSource(b)))),
  );
  for (const level of ['Patient', 'Study', 'Series'] as const) expect(after![level]).toEqual(before![level]);
});

test('the stored form comes on request, by its UID or by *', async () => {
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
  for (const syntax of ['*', '1.2.840.10008.1.2.4.202']) {
    const accept = `application/dicom; transfer-syntax=${syntax}`;
    const { response, bytes } = await getInstance(datastoreId, `${SERIES}.1`, accept);
    expect(response.headers.get('content-type')).toContain('1.2.840.10008.1.2.4.202');
    expect(await pixelsOf(bytes)).toEqual(await pixelsOf(slice({ number: 1 })));
  }
});

test('a form that cannot be given is 406 NotAcceptableException; an unknown instance 404', async () => {
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
  const { response } = await getInstance(
    datastoreId,
    `${SERIES}.1`,
    'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50',
  );
  expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([
    406,
    'NotAcceptableException',
  ]);
  expect((await getInstance(datastoreId, '1.2.3')).response.status).toBe(404);
  expect((await getInstance(datastoreId, 'no-uid')).response.status).toBe(400);
});

test('an updated attribute is in the instance', async () => {
  const set = await importedSet(world, { count: 1 });
  await update(world, set, { set: { Patient: { DICOM: { PatientName: 'Ärzte^Zoë' } } } });
  await settled(world, set);
  const { bytes } = await getInstance(set.datastoreId, `${SERIES}.1`);
  const p10 = await readP10(bufferSource(bytes));
  expect([text(p10, 'PatientName'), text(p10, 'SpecificCharacterSet')]).toEqual(['Ärzte^Zoë', 'ISO_IR 192']);
});

test('a non-primary instance comes when its image set is named', async () => {
  const { datastoreId } = await importedSet(world, { count: 1 });
  const other = await importedSet(world, { datastoreId, from: 7, count: 1, elements: { PatientID: 'P2' } });
  expect((await getInstance(datastoreId, `${SERIES}.7`)).response.status).toBe(404);
  expect((await getInstance(datastoreId, `${SERIES}.7`, undefined, other.imageSetId)).response.status).toBe(
    200,
  );
});

test.skipIf(!hasDcmtk)('dcmconv takes the instance apart and together again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-p10-'));
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
  const { bytes } = await getInstance(datastoreId, `${SERIES}.1`);
  writeFileSync(join(folder, 'in.dcm'), bytes);
  execFileSync('dcmconv', ['+ti', join(folder, 'in.dcm'), join(folder, 'out.dcm')]);
  rmSync(folder, { recursive: true });
});

test.skipIf(!hasOpenJpeg)(
  'what is stored lossless comes as JPEG 2000 Lossless, read by opj_decompress',
  async () => {
    const datastoreId = await world.createDatastore();
    await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
    const accept = `application/dicom; transfer-syntax=${JPEG_2000}`;
    const { response, bytes } = await getInstance(datastoreId, `${SERIES}.1`, accept);
    expect(response.headers.get('content-type')).toBe(`application/dicom; transfer-syntax=${JPEG_2000}`);
    expect(await judgedByOpenJpeg(bytes)).toEqual(slicePixels(1, 64));
  },
);

test('colour in an encapsulated form is called YBR_RCT, decoded RGB', async () => {
  const colour = {
    Rows: 8,
    Columns: 8,
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
  };
  const bytes8 = { BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0 };
  const uids = { SOPClassUID: '1.2.840.10008.5.1.4.1.1.7', SOPInstanceUID: `${SERIES}.1` };
  const source = writeP10({
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    elements: {
      ...uids,
      StudyInstanceUID: STUDY,
      SeriesInstanceUID: SERIES,
      PatientID: 'P',
      ...colour,
      ...bytes8,
    },
    pixelData: Uint8Array.from({ length: 192 }, (_, i) => (i * 7) % 256),
  });
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': source });
  for (const [accept, called] of [
    ['application/dicom', 'RGB'],
    ['application/dicom; transfer-syntax=*', 'YBR_RCT'],
    [`application/dicom; transfer-syntax=${JPEG_2000}`, 'YBR_RCT'],
  ] as const) {
    const { bytes } = await getInstance(datastoreId, `${SERIES}.1`, accept);
    expect(text(await readP10(bufferSource(bytes)), 'PhotometricInterpretation')).toBe(called);
    expect(await pixelsOf(bytes)).toEqual(await pixelsOf(source));
  }
});

test('in 2024 the latest image set of the series is taken', async () => {
  const own = await startTestWorld({ behaviour: '2024' });
  const datastoreId = await own.createDatastore();
  for (const StudyDescription of ['first', 'second']) {
    await own.importFiles(datastoreId, { '1': slice({ size: 16, elements: { StudyDescription } }) });
  }
  const path = `/datastore/${datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.1`;
  const reply = await fetch(own.server.endpoint + path);
  const p10 = await readP10(bufferSource(new Uint8Array(await reply.arrayBuffer())));
  expect(text(p10, 'StudyDescription')?.trim()).toBe('second');
  await own.close();
});

describe('a data store of format JPEG_2000_LOSSLESS', () => {
  async function jpeg2000Store(): Promise<string> {
    const { datastoreId } = await world.client.send(
      new sdk.CreateDatastoreCommand({ losslessStorageFormat: 'JPEG_2000_LOSSLESS' }),
    );
    await eventually(async () => {
      const reply = await world.client.send(new sdk.GetDatastoreCommand({ datastoreId }));
      return reply.datastoreProperties?.datastoreStatus === 'ACTIVE';
    });
    return datastoreId as string;
  }

  test.skipIf(!hasOpenJpeg)(
    'keeps frames that opj_decompress reads, under their own syntax and type',
    async () => {
      const datastoreId = await jpeg2000Store();
      const { imageSetId } = await importedSet(world, { datastoreId, count: 1 });
      const { Study } = await world.metadata(datastoreId, imageSetId);
      const instance = Study.Series[SERIES]!.Instances[`${SERIES}.1`]!;
      expect(instance.StoredTransferSyntaxUID).toBe(JPEG_2000);
      expect(instance.ChecksumType).toBe('DECOMPRESSED');
      const reply = await world.client.send(
        new sdk.GetImageFrameCommand({
          datastoreId,
          imageSetId,
          imageFrameInformation: { imageFrameId: instance.ImageFrames[0]!.ID },
        }),
      );
      expect(reply.contentType).toBe('image/j2c');
      const frame = (await reply.imageFrameBlob?.transformToByteArray()) as Uint8Array;
      expect(openJpegWords(frame)).toEqual(slicePixels(1, 16));
      expect(instance.ImageFrames[0]!.PixelDataChecksumFromBaseToFullResolution.at(-1)!.Checksum).toBe(
        crc32(new Uint8Array(slicePixels(1, 16).buffer)),
      );
    },
  );

  test('gives its instances as they are stored, decoded, and not as HTJ2K', async () => {
    const datastoreId = await jpeg2000Store();
    await importedSet(world, { datastoreId, count: 1 });
    const source = await pixelsOf(slice({ number: 1, size: 16 }));
    for (const accept of [undefined, `application/dicom; transfer-syntax=${JPEG_2000}`]) {
      const { response, bytes } = await getInstance(datastoreId, `${SERIES}.1`, accept);
      expect(response.status).toBe(200);
      expect(await pixelsOf(bytes)).toEqual(source);
    }
    const htj2k = 'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.202';
    expect((await getInstance(datastoreId, `${SERIES}.1`, htj2k)).response.status).toBe(406);
  });
});

/** The first frame's codestream of a P10 object, as OpenJPEG's program decodes it. */
async function judgedByOpenJpeg(bytes: Uint8Array): Promise<Uint16Array> {
  const frames = await openFrames(await readP10(bufferSource(bytes)));
  return openJpegWords(await frames.encodedFrame(0));
}

function openJpegWords(codestream: Uint8Array): Uint16Array {
  const folder = scratchFolder();
  const samples = openJpegDecode(folder, codestream, 1, 2);
  rmSync(folder, { recursive: true });
  return new Uint16Array(samples.buffer, samples.byteOffset, samples.length / 2);
}
