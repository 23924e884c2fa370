/** `isocenter env`: lines for a shell, so that any AWS SDK or the AWS CLI talks to the running local world. */
import { findRunningWorld, type WorldFile } from '../local/world/world.ts';
import { dataDirectory } from './data-directory.ts';
import { LOCAL_CREDENTIALS } from './deployment.ts';
import { CommandFailed, EXIT } from './errors.ts';
import type { Terminal } from './terminal.ts';

export async function env(
  options: { readonly data?: string; readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const dataDir = dataDirectory(options.data);
  const world = await findRunningWorld(dataDir);
  if (world === undefined)
    throw new CommandFailed(`no world runs on ${dataDir}: start one with isocenter up`);
  const variables = environmentOf(world);
  if (options.json) terminal.result(JSON.stringify(variables, null, 2));
  else
    for (const [name, value] of Object.entries(variables))
      terminal.result(`export ${name}=${shellWord(value)}`);
  return EXIT.ok;
}

/** Every variable that points a client at the local world. */
export function environmentOf(world: WorldFile): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_MEDICAL_IMAGING: world.healthImagingUrl,
    AWS_ENDPOINT_URL_S3: world.s3Url,
    AWS_ENDPOINT_URL_SFN: world.stepFunctionsUrl,
    AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
    AWS_REGION: world.region,
    AWS_DEFAULT_REGION: world.region,
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    ISOCENTER_DATASTORE_ID: world.datastoreId,
    ISOCENTER_INBOX_BUCKET: world.inboxBucket,
  };
}

function shellWord(value: string): string {
  return /^[\w:/.@%+=-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
