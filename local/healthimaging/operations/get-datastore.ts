/** GetDatastore: one data store; a deleted one is still shown, as DELETED. */
import { notFound } from '../errors.ts';
import type { Service } from '../service.ts';

export async function getDatastore(service: Service, input: { readonly datastoreId: string }) {
  const datastoreProperties = await service.store.datastore(input.datastoreId);
  if (!datastoreProperties) throw notFound(`Data store ${input.datastoreId} does not exist`);
  return { datastoreProperties };
}
