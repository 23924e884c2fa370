/**
 * Merging over the whole local world: N series that arrive in 2 to 6 uploads, each with another spelling, some with
 * another protocol. `node bench/merge.mjs [N] [2024|current]` prints how many series ended as one image set and how many
 * stay apart, and whether every instance that was sent is there with the checksum of its pixels.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { buildAll } from '../scripts/build.mjs';
import { loadSource } from '../test/e2e/world-process.mjs';

const count = Number(process.argv[2] ?? 50);
const behaviour = process.argv[3] ?? '2024';
await buildAll();
const { startWorld } = await import('../dist/local/index.js');
const { writeP10 } = await loadSource('shared/dicom/write.ts');
const folder = mkdtempSync(join(tmpdir(), 'isocenter-merge-'));
const world = await startWorld({
  dataDir: folder,
  basePort: 0,
  behaviour,
  parameters: { constraintProfile: behaviour, merge: 'auto' },
});
const s3 = new S3Client({
  endpoint: world.s3Url,
  region: world.region,
  forcePathStyle: true,
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
});

const NAMES = ['Nobody^Test', 'NOBODY^TEST', 'Nobody^Test^', 'nobody^test', 'Nobody^Test ', 'NOBODY^TEST^^'];
/** Every tenth series has a last upload whose description differs beyond spelling: it has to stay apart. */
const isOdd = (series) => series % 10 === 9;
const uploadsOf = (series) => 2 + (series % 5);

function slice(series, upload) {
  const pixels = new Uint8Array(32 * 32 * 2).map((_, i) => (i * (series + 1) * (upload + 3)) % 256);
  for (let i = 1; i < pixels.length; i += 2) pixels[i] &= 0x0f;
  const isLast = upload === uploadsOf(series) - 1;
  return writeP10({
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    elements: {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: `2.25.9.${series}.${upload}`,
      StudyDate: '20260131',
      Modality: 'CT',
      SeriesDescription: isOdd(series) && isLast ? 'Another protocol' : 'Chest',
      PatientName: NAMES[upload % NAMES.length],
      PatientID: `P${series}`,
      PatientBirthDate: '19700101',
      PatientSex: 'O',
      StudyInstanceUID: `2.25.7.${series}`,
      SeriesInstanceUID: `2.25.8.${series}`,
      StudyID: 'S',
      SeriesNumber: '1',
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: 32,
      Columns: 32,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
    },
    pixelData: pixels,
  });
}

/** Reports of finished ingests, by the key of their execution. */
async function reports() {
  const found = [];
  let ContinuationToken;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: world.workBucket, Prefix: 'reports/', ContinuationToken }),
    );
    found.push(...(page.Contents ?? []));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return found.length;
}

const started = performance.now();
const sent = new Set();
for (let upload = 0; upload < 6; upload++) {
  const before = await reports();
  for (let series = 0; series < count; series++) {
    if (upload >= uploadsOf(series)) continue;
    sent.add(`2.25.9.${series}.${upload}`);
    const Key = `round-${upload}/${series}.dcm`;
    await s3.send(new PutObjectCommand({ Bucket: world.inboxBucket, Key, Body: slice(series, upload) }));
  }
  while ((await reports()) === before) await new Promise((resolve) => setTimeout(resolve, 500));
}
const seconds = (performance.now() - started) / 1000;

const imaging = await imagingClient();
const outcome = await lookAtStore(imaging);
console.log(
  JSON.stringify({ series: count, behaviour, sent: sent.size, seconds: Math.round(seconds), ...outcome }),
);
await world.close();
rmSync(folder, { recursive: true, force: true });
process.exit(outcome.missing === 0 ? 0 : 1);

async function imagingClient() {
  const { MedicalImagingClient } = await import('@aws-sdk/client-medical-imaging');
  return new MedicalImagingClient({
    endpoint: world.healthImagingUrl,
    region: world.region,
    disableHostPrefix: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  });
}

/** Image sets a series, and instances whose frames are all proven to be those that were sent. */
async function lookAtStore(client) {
  const { GetImageSetMetadataCommand, SearchImageSetsCommand } = await import(
    '@aws-sdk/client-medical-imaging'
  );
  const { gunzipSync } = await import('node:zlib');
  const { crc32 } = await import('node:zlib');
  const bySeries = new Map();
  const found = new Set();
  let wrong = 0;
  let nextToken;
  do {
    const page = await client.send(
      new SearchImageSetsCommand({ datastoreId: world.datastoreId, maxResults: 50, nextToken }),
    );
    for (const { imageSetId, DICOMTags } of page.imageSetsMetadataSummaries ?? []) {
      const series = DICOMTags.DICOMSeriesInstanceUID;
      bySeries.set(series, (bySeries.get(series) ?? 0) + 1);
      const answer = await client.send(
        new GetImageSetMetadataCommand({ datastoreId: world.datastoreId, imageSetId }),
      );
      const bytes = await answer.imageSetMetadataBlob.transformToByteArray();
      const metadata = JSON.parse(gunzipSync(bytes).toString());
      for (const [sop, instance] of Object.entries(metadata.Study.Series[series].Instances)) {
        found.add(sop);
        const [, , , s, u] = sop.split('.');
        const expected = crc32(slice(Number(s), Number(u)).subarray(-32 * 32 * 2));
        const got = instance.ImageFrames[0].PixelDataChecksumFromBaseToFullResolution.at(-1).Checksum;
        if (got !== expected) wrong++;
      }
    }
    nextToken = page.nextToken;
  } while (nextToken);
  const sets = [...bySeries.values()];
  return {
    oneImageSet: sets.filter((n) => n === 1).length,
    keptApart: sets.filter((n) => n > 1).length,
    missing: [...sent].filter((sop) => !found.has(sop)).length,
    wrongChecksums: wrong,
  };
}
