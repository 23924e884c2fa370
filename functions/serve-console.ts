/** The console's HTTP API: its pages, and the API that they ask. Nothing is kept between requests but what is read again. */
import { fileURLToPath } from 'node:url';
import { type DeployedBackend, deployedBackend } from '../shared/console/deployed-backend.ts';
import { makeHeldReader } from '../shared/console/held.ts';
import { answerHttpApi, type HttpApiAnswer } from '../shared/console/http-api.ts';
import { makeOverview } from '../shared/console/overview.ts';
import { makeRefusalReader } from '../shared/console/refusals.ts';
import { makeExecutionSearch } from '../shared/console/search-executions.ts';
import { readStaticFiles, type StaticFile } from '../shared/console/static-files.ts';

export function makeHandler(
  backend: DeployedBackend,
  files: ReadonlyMap<string, StaticFile>,
): (event: unknown) => Promise<HttpApiAnswer> {
  const services = {
    backend,
    overview: makeOverview(backend),
    searchExecutions: makeExecutionSearch(backend),
    held: makeHeldReader(backend),
    refusals: makeRefusalReader(backend),
  };
  const parts = { services, files, connectTo: backend.connectTo, log: console.log };
  return (event) => answerHttpApi(parts, event);
}

/** The build puts the pages beside the function. */
const pages = fileURLToPath(new URL('./console/', import.meta.url));

export const handler = makeHandler(deployedBackend(), readStaticFiles(pages));
