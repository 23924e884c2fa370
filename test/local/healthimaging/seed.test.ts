/** A server with a seed folder starts with its files imported. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { expect, test } from 'vitest';
import { startHealthImaging } from '../../../local/healthimaging/server.ts';
import { clientFor } from './client.ts';
import { slice } from './instances.ts';

test('the files of a seed folder are there when the server answers, and once only after a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-seed-'));
  mkdirSync(join(folder, 'files', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'files', 'a.dcm'), slice({ number: 1 }));
  writeFileSync(join(folder, 'files', 'deep', 'b.dcm'), slice({ number: 2 }));
  writeFileSync(join(folder, 'files', 'readme.txt'), 'no DICOM');
  for (let start = 0; start < 2; start++) {
    const server = await startHealthImaging({
      dataDir: join(folder, 'data'),
      seed: join(folder, 'files'),
      fsync: false,
    });
    const client = clientFor(server);
    const { imageSetsMetadataSummaries } = await client.send(
      new sdk.SearchImageSetsCommand({ datastoreId: server.seedDatastoreId }),
    );
    expect(imageSetsMetadataSummaries).toMatchObject([
      { version: 1, DICOMTags: { DICOMNumberOfStudyRelatedInstances: 2 } },
    ]);
    client.destroy();
    await server.close();
  }
  rmSync(folder, { recursive: true });
});

test('a seed folder that is not there is an error of one sentence, and nothing keeps running', async () => {
  await expect(startHealthImaging({ seed: '/no/such/folder', fsync: false })).rejects.toThrow(/seed folder/);
});

test('the server starts in under a second', async () => {
  const started = performance.now();
  const server = await startHealthImaging();
  const milliseconds = performance.now() - started;
  await server.close();
  // The bound is for an idle machine; shared ones get some room.
  expect(milliseconds).toBeLessThan(3_000);
});

test('a start that fails leaves nothing open: the same data can be started again', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'isocenter-seed-'));
  await expect(startHealthImaging({ dataDir, faults: '/no/such/file.json' })).rejects.toThrow(/ENOENT/);
  const first = await startHealthImaging({ dataDir, fsync: false });
  const taken = Number(new URL(first.endpoint).port);
  const other = mkdtempSync(join(tmpdir(), 'isocenter-seed-'));
  await expect(startHealthImaging({ dataDir: other, port: taken })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  const second = await startHealthImaging({ dataDir: other, fsync: false });
  await Promise.all([first.close(), second.close()]);
  for (const folder of [dataDir, other]) rmSync(folder, { recursive: true });
});
