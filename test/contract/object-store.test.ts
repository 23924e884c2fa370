/** The ObjectStore contract, against both adapters; the S3 one over our own store with the official client. */
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { startTestStore } from '../local/s3/store-for-tests.ts';
import { describeObjectStore } from './object-store.ts';

describeObjectStore('memory', async () => ({
  store: memoryObjectStore(),
  bucket: 'contract',
  close: async () => undefined,
}));

async function openS3(options: { singleCopyLimitBytes?: number; copyPartBytes?: number }) {
  const { server, client, close } = await startTestStore();
  await server.createBucket('contract');
  return { store: s3ObjectStore(client, options), bucket: 'contract', close };
}

describeObjectStore('S3', () => openS3({}));
describeObjectStore('S3, copying in parts', () =>
  openS3({ singleCopyLimitBytes: 6_000_000, copyPartBytes: 5_500_000 }),
);
