/** An instance of a gigabyte is streamed: what the server holds of it is a few frames. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type ImageSetDocument,
  packDocument,
  unpackDocument,
} from '../../../local/healthimaging/metadata/document.ts';
import { put } from '../../../local/healthimaging/store/database.ts';
import { keyOf } from '../../../local/healthimaging/store/keys.ts';
import { openStore } from '../../../local/healthimaging/store/store.ts';
import { SERIES, STUDY, slice } from './instances.ts';
import { startTestWorld } from './world.ts';

const SIZE = 1024;
const FRAMES = 512;

/** The one frame of the set 512 times over: the store holds equal bytes once, so that the test need not encode a gigabyte. */
async function multiply(dataDir: string, datastoreId: string, imageSetId: string): Promise<void> {
  const store = await openStore(dataDir, { fsync: false });
  const version = (await store.version(datastoreId, imageSetId, 1))!;
  const document = await unpackDocument(await store.blobs.get(version.document!));
  const series = document.Study.Series[SERIES]!;
  const instance = series.Instances[`${SERIES}.1`]!;
  const [frame] = instance.ImageFrames;
  const record = (await store.frame(datastoreId, imageSetId, frame!.ID))!;
  const ids = Array.from({ length: FRAMES }, (_, i) => i.toString(16).padStart(32, '0'));
  const many = {
    ...instance,
    DICOM: { ...instance.DICOM, NumberOfFrames: String(FRAMES) },
    ImageFrames: ids.map((ID) => ({ ...frame!, ID })),
  };
  const changed: ImageSetDocument = {
    ...document,
    Study: { ...document.Study, Series: { [SERIES]: { ...series, Instances: { [`${SERIES}.1`]: many } } } },
  };
  const blob = await store.blobs.put((await packDocument(changed)).bytes);
  await store.database.write([
    put(keyOf('version', datastoreId, imageSetId, 1), { ...version, document: blob }),
    ...ids.map((id) => put(keyOf('frame', datastoreId, imageSetId, id), record)),
  ]);
  await store.close();
}

test('a gigabyte of frames is given decoded without being held', { timeout: 300_000 }, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-large-'));
  const first = await startTestWorld({ dataDir });
  const datastoreId = await first.createDatastore();
  const { manifest } = await first.importFiles(datastoreId, { '1': slice({ size: SIZE }) });
  const { imageSetId } = manifest.jobSummary.imageSetsSummary[0]!;
  await first.close();
  await multiply(dataDir, datastoreId, imageSetId);

  const world = await startTestWorld({ dataDir });
  const path = `/datastore/${datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.1`;
  const response = await fetch(world.server.endpoint + path);
  expect(response.status).toBe(200);
  const pixelBytes = SIZE * SIZE * 2 * FRAMES;
  const wanted = Number(response.headers.get('content-length'));
  expect(wanted).toBeGreaterThan(pixelBytes);
  const before = process.memoryUsage().rss;
  let [received, peak] = [0, 0];
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    received += chunk.length;
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  console.log(
    `1 GiB in ${FRAMES} frames: ${Math.round((peak - before) / 1024 ** 2)} MiB more while it was sent`,
  );
  expect(received).toBe(wanted);
  expect(peak - before).toBeLessThan(400 * 1024 ** 2);
  await world.close();
  await rm(dataDir, { recursive: true, force: true });
});
