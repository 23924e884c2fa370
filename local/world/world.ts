/**
 * The whole stack on one machine: reads the packaged template and runs it, on loopback, durable below one folder.
 * Nothing of the wiring is written here; what the template says is what runs.
 */
import { join } from 'node:path';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import { makeActivityLog } from '../console/activity.ts';
import { startConsoleServer } from '../console/server.ts';
import { type HealthImaging, startHealthImaging } from '../healthimaging/server.ts';
import { startS3 } from '../s3/server.ts';
import { startStepFunctions } from '../stepfunctions/server.ts';
import { bucketOptions } from './bucket-options.ts';
import { openDataDirectory, type WorldDatabase } from './data-directory.ts';
import { ensureDatastore } from './datastore.ts';
import { startFunctionHost } from './function-host.ts';
import { openFunctionLog } from './function-log.ts';
import { toLocalFunction } from './functions.ts';
import { packageRoot } from './package-root.ts';
import { onFreePorts } from './ports.ts';
import { classifyCall, type ServiceCall } from './service-calls.ts';
import { type Services, startServicesEndpoint } from './services-endpoint.ts';
import { shortName, toStateMachine } from './state-machines.ts';
import { makeTaskServices } from './task-services.ts';
import {
  conditionsOf,
  type Place,
  type ResolvedTemplate,
  readTemplate,
  resolveTemplate,
  type Template,
} from './template.ts';
import { makeWiring, type Wiring } from './wiring.ts';
import { removeWorldFile, type WorldFile, writeWorldFile } from './world-file.ts';

export { DataDirectoryError } from './data-directory.ts';
export { TemplateError } from './intrinsics.ts';
export { ParameterError } from './parameters.mjs';
export { PortTakenError } from './ports.ts';
export { findRunningWorld, type WorldFile } from './world-file.ts';

export interface WorldOptions {
  readonly dataDir: string;
  /** Console at this port, the others above it; taken ones → the next free; 0: any free ones. Default 4080. */
  readonly basePort?: number;
  readonly behaviour?: '2024' | 'current';
  /** Template parameters (design section 10). */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly log?: (line: string) => void;
  /** The template to run; default `local/template.json` of this package. */
  readonly templatePath?: string;
  /** Where the handlers' paths start; default this package. */
  readonly codeRoot?: string;
  /** Gets every request that a function makes, after its invocation. */
  readonly onCall?: (functionName: string, call: ServiceCall) => void;
  /** Sees every event of every bus. */
  readonly onEvent?: (busName: string, event: EventBridgeEvent) => void;
}

/** What happened since the start, for measuring and pricing. */
export interface WorldCounters {
  readonly transitions: number;
  readonly transitionsByStateMachine: Readonly<Record<string, number>>;
  /** EXPRESS executions, children of maps too; each duration rounded up to 100 ms. */
  readonly express: { readonly executions: number; readonly billedMilliseconds: number };
  readonly invocations: number;
  readonly invocationsByFunction: Readonly<Record<string, number>>;
  readonly invocationErrors: number;
  /** Of functions, on this machine's cores, without loading. */
  readonly gigabyteSeconds: number;
  readonly events: number;
  /** Requests of functions and state machines by `service:Operation` (`s3:GetObject`). */
  readonly requests: Readonly<Record<string, number>>;
}

export interface World extends WorldFile {
  /** Where EventBridge's PutEvents and Lambda's Invoke are. */
  readonly servicesUrl: string;
  counters(): WorldCounters;
  /** Messages by queue name. */
  queues(): Readonly<Record<string, { visible: number; inFlight: number }>>;
  close(): Promise<void>;
}

const DEFAULT_PORT = 4080;
const STACK_NAME = 'isocenter-local';
const ACCOUNT_ID = '000000000000';
const REGION = 'us-east-1';

/** One machine answers sooner and has fewer cores than a cloud: what differs from the template's own defaults. */
const LOCAL_PARAMETERS = {
  quietSeconds: '2',
  mergeGraceSeconds: '0',
  importConcurrency: '2',
  verifyConcurrency: '2',
};

type Closing = { readonly name: string; close(): Promise<void> }[];

/** Starts everything, or leaves nothing behind. Throws DataDirectoryError, ParameterError, PortTakenError, TemplateError. */
export async function startWorld(options: WorldOptions): Promise<World> {
  // Which Node runs this is the user's choice, and told by `doctor`; the SDK need not repeat it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const { basePort = 0 } = options;
  const wanted = { base: options.basePort ?? DEFAULT_PORT, count: 4, isAsked: basePort !== 0 };
  return await onFreePorts(wanted, async (ports) => {
    const closing: Closing = [];
    try {
      return await assemble(options, ports, closing);
    } catch (error) {
      await closeAll(closing, options.log);
      throw error;
    }
  });
}

/** Last opened, first closed; one that fails does not keep the others open. */
async function closeAll(closing: Closing, log: ((line: string) => void) | undefined): Promise<void> {
  for (const part of closing.splice(0).reverse())
    await part.close().catch((error: unknown) => log?.(`${part.name}: ${String(error)}`));
}

async function assemble(
  options: WorldOptions,
  [consolePort = 0, healthImagingPort = 0, s3Port = 0, stepFunctionsPort = 0]: readonly number[],
  closing: Closing,
): Promise<World> {
  const { dataDir } = options;
  const log = options.log ?? (() => {});
  const root = packageRoot();
  const place: Place = { stackName: STACK_NAME, region: REGION, accountId: ACCOUNT_ID };
  const template = await readTemplate(options.templatePath ?? join(root, 'local', 'template.json'));
  const parameters = {
    ...LOCAL_PARAMETERS,
    constraintProfile: options.behaviour ?? 'current',
    ...options.parameters,
  };
  conditionsOf(template, parameters, place);

  const database = await openDataDirectory(dataDir);
  closing.push({ name: 'data directory', close: () => database.close() });
  await removeWorldFile(dataDir);

  let wiring: Wiring | undefined;
  const activity = makeActivityLog();
  // Events before the wiring is there are of a start after a kill; the sweep sees those objects.
  const onEvent = (event: EventBridgeEvent) => void wiring?.buses.publish(event);
  const s3 = await startS3({
    dataDir: join(dataDir, 's3'),
    port: s3Port,
    region: REGION,
    accountId: ACCOUNT_ID,
    onEvent,
  });
  closing.push({ name: 'S3', close: () => s3.close() });
  const imaging = await startHealthImaging({
    dataDir: join(dataDir, 'healthimaging'),
    port: healthImagingPort,
    behaviour: options.behaviour ?? 'current',
    s3Endpoint: s3.url,
    region: REGION,
    accountId: ACCOUNT_ID,
    onEvent,
    audit: activity.call,
    log,
    // As the S3 store beside it: a killed process loses nothing, a power cut may.
    fsync: false,
  });
  closing.push({ name: 'HealthImaging', close: () => imaging.close() });

  const resolved = await resolveWithDatastores(template, parameters, place, imaging, database);
  for (const bucket of resolved.ofType('AWS::S3::Bucket'))
    await s3.createBucket(bucket.ref, bucketOptions(bucket.properties));

  let running: Services | undefined;
  const services = await startServicesEndpoint(() => {
    if (!running) throw new Error('the world is starting');
    return running;
  });
  closing.push({ name: 'services', close: () => services.close() });
  const stepFunctionsUrl = { url: `http://127.0.0.1:${stepFunctionsPort}` };
  const requests = new Map<string, number>();
  const count = (name: string) => void requests.set(name, (requests.get(name) ?? 0) + 1);
  const hosts = {
    s3: new URL(s3.url).host,
    'medical-imaging': new URL(imaging.endpoint).host,
    states: new URL(stepFunctionsUrl.url).host,
    events: new URL(services.url).host,
  };
  const functionLog = openFunctionLog(join(dataDir, 'logs'));
  const around = {
    codeRoot: options.codeRoot ?? root,
    place,
    endpoints: {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_MEDICAL_IMAGING: imaging.endpoint,
      AWS_ENDPOINT_URL_SFN: stepFunctionsUrl.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: services.url,
      AWS_ENDPOINT_URL: services.url,
    },
  };
  const host = startFunctionHost({
    functions: resolved.ofType('AWS::Lambda::Function').map((resource) => toLocalFunction(resource, around)),
    onOutput: functionLog.output,
    onCalls(functionName, calls) {
      for (const call of calls.map((one) => classifyCall(one, hosts))) {
        count(`${call.service}:${call.operation}`);
        options.onCall?.(functionName, call);
      }
    },
    onReport: functionLog.report,
  });
  closing.push({ name: 'functions', close: () => host.close() });
  wiring = await makeWiring({
    template: resolved,
    database,
    place,
    host,
    dataDir,
    log,
    onEvent(busName, event) {
      activity.event(busName, event);
      options.onEvent?.(busName, event);
    },
  });
  running = { buses: wiring.buses, host, log };
  const stateMachines = resolved
    .ofType('AWS::StepFunctions::StateMachine')
    .map((resource) =>
      toStateMachine(resource, template.Resources[resource.logicalId]?.Properties?.Definition),
    );
  const stepFunctions = await startStepFunctions({
    dataDir,
    port: stepFunctionsPort,
    region: REGION,
    accountId: ACCOUNT_ID,
    stateMachines,
    services: makeTaskServices({
      host,
      buses: wiring.buses,
      topics: wiring.topics,
      s3Url: s3.url,
      region: REGION,
      count,
    }),
  });
  closing.push({ name: 'Step Functions', close: () => stepFunctions.close() });

  let file: WorldFile | undefined;
  const console_ = await startConsoleServer({ port: consolePort, world: () => file, activity, log });
  closing.push({ name: 'console', close: () => console_.close() });
  const made = wiring;
  made.run();
  host.warm().catch((error: unknown) => log(`functions: ${String(error)}`));
  closing.push({ name: 'events', close: () => made.stop() });
  const arns = Object.fromEntries(stateMachines.map(({ name, arn }) => [shortName(name, place), arn]));
  file = {
    consoleUrl: console_.url,
    healthImagingUrl: imaging.endpoint,
    s3Url: s3.url,
    stepFunctionsUrl: stepFunctions.url,
    region: REGION,
    datastoreId: resolved.output('DatastoreId'),
    dataAccessRoleArn: resolved.output('DataAccessRoleArn'),
    inboxBucket: resolved.output('InboxBucketName'),
    workBucket: resolved.output('WorkBucketName'),
    stateMachineArns: { ...arns, ingest: resolved.output('IngestStateMachineArn') },
    pid: process.pid,
  };
  await writeWorldFile(dataDir, file);
  closing.push({ name: 'world.json', close: () => removeWorldFile(dataDir) });

  return {
    ...file,
    servicesUrl: services.url,
    counters() {
      const functions = host.counters();
      const states = stepFunctions.counters();
      return {
        transitions: states.transitions,
        transitionsByStateMachine: states.byStateMachine,
        express: states.express,
        invocations: functions.invocations,
        invocationsByFunction: functions.byFunction,
        invocationErrors: functions.errors,
        gigabyteSeconds: functions.gigabyteSeconds,
        events: made.buses.counters().events,
        requests: Object.fromEntries(requests),
      };
    },
    queues: () => Object.fromEntries([...made.queues.values()].map((queue) => [queue.name, queue.depth()])),
    close: () => closeAll(closing, options.log),
  };
}

/** Makes the template's data stores first: only the service knows their ids, and everything else refers to them. */
async function resolveWithDatastores(
  template: Template,
  parameters: Readonly<Record<string, string>>,
  place: Place,
  imaging: HealthImaging,
  database: WorldDatabase,
): Promise<ResolvedTemplate> {
  const identity = (datastoreId: string) => ({
    ref: datastoreId,
    attributes: {
      DatastoreId: datastoreId,
      DatastoreArn: `arn:aws:medical-imaging:${place.region}:${place.accountId}:datastore/${datastoreId}`,
    },
  });
  const { wanted } = conditionsOf(template, parameters, place);
  const ids = wanted.filter(([, { Type }]) => Type === 'AWS::HealthImaging::Datastore').map(([id]) => id);
  const draft = resolveTemplate(
    template,
    parameters,
    place,
    Object.fromEntries(ids.map((id) => [id, identity('')])),
  );
  const known = await Promise.all(
    ids.map(async (id) => {
      const { DatastoreName = `${place.stackName}-${id}` } = draft.get(id).properties;
      return [
        id,
        identity(await ensureDatastore(imaging.endpoint, database, id, String(DatastoreName))),
      ] as const;
    }),
  );
  return resolveTemplate(template, parameters, place, Object.fromEntries(known));
}
