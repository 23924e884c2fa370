/** How to test your own HealthImaging code without an account: the server starts in your test process. */
import {
  CreateDatastoreCommand,
  GetDatastoreCommand,
  MedicalImagingClient,
} from '@aws-sdk/client-medical-imaging';
import { type HealthImaging, startHealthImaging } from 'isocenter/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

let server: HealthImaging;
let client: MedicalImagingClient;

beforeAll(async () => {
  server = await startHealthImaging();
  client = new MedicalImagingClient({
    endpoint: server.endpoint,
    disableHostPrefix: true,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(() => server.close());

it('makes a data store', async () => {
  const { datastoreId } = await client.send(new CreateDatastoreCommand({ datastoreName: 'mine' }));
  const { datastoreProperties } = await client.send(new GetDatastoreCommand({ datastoreId }));
  expect(datastoreProperties?.datastoreName).toBe('mine');
});
