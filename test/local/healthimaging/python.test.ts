/** A Python client works: Debian's python3-boto3, which is older than the service, with our model file. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startTestWorld } from './world.ts';
import { importedSet } from './writes.ts';

const hasBoto = spawnSync('python3', ['-c', 'import boto3']).status === 0;
if (!hasBoto) console.warn('skipped: the Python client (python3-boto3 is not installed)');

const MODEL = fileURLToPath(
  new URL('../../../shared/healthimaging/medical-imaging.api.json', import.meta.url),
);

const PROGRAM = `
import boto3, gzip, json, sys, datetime
endpoint, store, image_set = sys.argv[1:4]
client = boto3.client('medical-imaging', endpoint_url=endpoint, region_name='us-east-1',
                      aws_access_key_id='x', aws_secret_access_key='y')
ids = [s['datastoreId'] for page in client.get_paginator('list_datastores').paginate() for s in page['datastoreSummaries']]
found = client.search_image_sets(datastoreId=store, searchCriteria={'filters': [
    {'operator': 'BETWEEN', 'values': [{'createdAt': datetime.datetime(2000, 1, 1)}, {'createdAt': datetime.datetime(2100, 1, 1)}]}]})
blob = client.get_image_set_metadata(datastoreId=store, imageSetId=image_set)['imageSetMetadataBlob'].read()
document = json.loads(gzip.decompress(blob))
series = next(iter(document['Study']['Series'].values()))
frame = next(iter(series['Instances'].values()))['ImageFrames'][0]
pixels = client.get_image_frame(datastoreId=store, imageSetId=image_set,
                                imageFrameInformation={'imageFrameId': frame['ID']})['imageFrameBlob'].read()
update = {'DICOMUpdates': {'updatableAttributes': json.dumps(
    {'SchemaVersion': 1.1, 'Patient': {'DICOM': {'PatientSex': 'O'}}}).encode()}}
reply = client.update_image_set_metadata(datastoreId=store, imageSetId=image_set, latestVersionId='1',
                                         updateImageSetMetadataUpdates=update)
try:
    client.get_image_set(datastoreId=store, imageSetId='f' * 32)
    error = None
except client.exceptions.ResourceNotFoundException as e:
    error = e.response['Error']['Code']
print(json.dumps({'stores': store in ids, 'found': len(found['imageSetsMetadataSummaries']),
                  'frame': len(pixels), 'size': frame['FrameSizeInBytes'],
                  'version': reply['latestVersionId'], 'error': error}))
`;

test.skipIf(!hasBoto)(
  'boto3 lists, searches, reads metadata and frames, updates, and knows the errors',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-boto-'));
    const model = join(folder, 'medical-imaging', '2023-07-19');
    mkdirSync(model, { recursive: true });
    const { service, paginators } = JSON.parse(readFileSync(MODEL, 'utf8'));
    writeFileSync(join(model, 'service-2.json'), JSON.stringify(service));
    writeFileSync(join(model, 'paginators-1.json'), JSON.stringify(paginators));

    const world = await startTestWorld();
    const { datastoreId, imageSetId } = await importedSet(world, { count: 1 });
    const child = spawn('python3', ['-c', PROGRAM, world.server.endpoint, datastoreId, imageSetId], {
      env: {
        ...process.env,
        AWS_DATA_PATH: folder,
        AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
      },
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    await new Promise((resolve) => child.once('exit', resolve));
    await world.close();
    rmSync(folder, { recursive: true });
    expect(errors).toBe('');
    const result = JSON.parse(output);
    expect(result).toMatchObject({
      stores: true,
      found: 1,
      version: '2',
      error: 'ResourceNotFoundException',
    });
    expect(result.frame).toBe(result.size);
  },
);
