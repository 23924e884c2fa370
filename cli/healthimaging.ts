/** `isocenter healthimaging`: only the HealthImaging-compatible server, for developing and testing against. */
import { createWriteStream } from 'node:fs';
import { startHealthImaging } from '../local/healthimaging/server.ts';
import { LOCAL_CREDENTIALS, startOrExplain } from './deployment.ts';
import { CommandFailed, EXIT } from './errors.ts';
import type { Terminal } from './terminal.ts';
import { untilSignal } from './until-signal.ts';

export interface HealthImagingOptions {
  readonly port?: number;
  readonly data?: string;
  readonly behaviour?: '2024' | 'current';
  readonly s3Endpoint?: string;
  readonly host?: string;
  readonly seed?: string;
  readonly credentials?: string;
  readonly throttle?: 'off' | 'aws';
  readonly splitInstances?: number;
  readonly faults?: string;
  readonly audit?: string;
}

/** Everything is kept in `--data DIR`; without it in a temporary folder that goes when the server stops. */
export async function healthimaging(options: HealthImagingOptions, terminal: Terminal): Promise<number> {
  const port = options.port ?? 4081;
  const audit = options.audit === undefined ? undefined : createWriteStream(options.audit, { flags: 'a' });
  const server = await startOrExplain('the HealthImaging server', () =>
    startHealthImaging({
      port,
      ...(options.host === undefined ? {} : { host: options.host }),
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.credentials === undefined ? {} : { credentialsFile: options.credentials }),
      ...(options.throttle === undefined ? {} : { throttle: options.throttle }),
      ...(options.splitInstances === undefined ? {} : { splitInstances: options.splitInstances }),
      ...(options.faults === undefined ? {} : { faults: options.faults }),
      ...(audit === undefined ? {} : { audit: (line: string) => audit.write(`${line}\n`) }),
      ...(options.data === undefined ? {} : { dataDir: options.data }),
      ...(options.behaviour === undefined ? {} : { behaviour: options.behaviour }),
      ...(options.s3Endpoint === undefined ? {} : { s3Endpoint: options.s3Endpoint }),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      throw new CommandFailed(`port ${port} is taken: choose another with --port N (0: any free one)`);
    }),
  );
  terminal.result(`HealthImaging  ${server.endpoint}`);
  if (server.seedDatastoreId) terminal.result(`  seeded data store ${server.seedDatastoreId}`);
  terminal.result(
    `  export AWS_ENDPOINT_URL_MEDICAL_IMAGING=${server.endpoint} AWS_DISABLE_HOST_PREFIX_INJECTION=true`,
  );
  terminal.result(
    `  export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=${LOCAL_CREDENTIALS.accessKeyId} AWS_SECRET_ACCESS_KEY=${LOCAL_CREDENTIALS.secretAccessKey}`,
  );
  await untilSignal();
  await server.close();
  audit?.end();
  return EXIT.ok;
}
