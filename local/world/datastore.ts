/** The template's HealthImaging data store: made once, remembered by the world, found again at each start. */
import { createHash } from 'node:crypto';
import type { WorldDatabase } from './data-directory.ts';
import { TemplateError } from './intrinsics.ts';

interface DatastoreProperties {
  readonly datastoreId: string;
  readonly datastoreStatus: string;
}

/** How long a data store may take to become ACTIVE. */
const CREATE_TIMEOUT_MS = 60_000;

async function ask<T>(url: string, init?: RequestInit): Promise<{ status: number; body: T }> {
  const answer = await fetch(url, init);
  return { status: answer.status, body: (await answer.json()) as T };
}

async function describe(endpoint: string, datastoreId: string): Promise<DatastoreProperties | undefined> {
  const { status, body } = await ask<{ datastoreProperties: DatastoreProperties }>(
    `${endpoint}/datastore/${datastoreId}`,
  );
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`HealthImaging: GetDatastore answered ${status}`);
  return body.datastoreProperties;
}

async function create(endpoint: string, name: string): Promise<string> {
  // The same token for the same name: a world killed right after this call finds the same data store.
  const clientToken = createHash('sha256').update(`datastore ${name}`).digest('hex').slice(0, 32);
  const { status, body } = await ask<{ datastoreId: string; message?: string }>(`${endpoint}/datastore`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ datastoreName: name, clientToken }),
  });
  if (status !== 200)
    throw new Error(`HealthImaging: CreateDatastore answered ${status} ${body.message ?? ''}`);
  return body.datastoreId;
}

/** The ACTIVE data store of `logicalId`; its id. Throws TemplateError when a given one does not exist. */
export async function ensureDatastore(
  endpoint: string,
  database: WorldDatabase,
  logicalId: string,
  name: string,
): Promise<string> {
  const key = `datastore/${logicalId}`;
  const remembered = (await database.get(key)) as string | undefined;
  const found = remembered === undefined ? undefined : await describe(endpoint, remembered);
  const datastoreId = found?.datastoreId ?? (await create(endpoint, name));
  await database.put(key, datastoreId);
  const until = Date.now() + CREATE_TIMEOUT_MS;
  for (;;) {
    const status = (await describe(endpoint, datastoreId))?.datastoreStatus;
    if (status === 'ACTIVE') return datastoreId;
    if (status !== 'CREATING' || Date.now() > until)
      throw new TemplateError(`${logicalId}: data store ${datastoreId} is ${status ?? 'gone'}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
