/**
 * A real run of the whole stack, looked at from two sides: every request that a function makes is allowed by the role that
 * the template gives it, on that very resource; and nothing that names a patient, an upload or a file is in what the run
 * leaves for operators: logs, metrics, notifications, execution inputs, outputs and histories (invariant 7).
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetExecutionHistoryCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { demoFiles } from '../../local/demo/demo.ts';
import type { ServiceCall } from '../../local/world/service-calls.ts';
import { readTemplate, resolveTemplate } from '../../local/world/template.ts';
import { startWorld, type World } from '../../local/world/world.ts';

// One whole ingest and a second one, on machines that do much else.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}
type Need = readonly [action: string, resource: string];

const root = join(import.meta.dirname, '../..');
/** Stands in keys and upload names as the generator's patients stand in the files. */
const CANARY = 'CANARY_DOE';
let folder: string;
let world: World;
const calls: (ServiceCall & { functionName: string })[] = [];

const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
const s3 = () =>
  new S3Client({ endpoint: world.s3Url, region: world.region, credentials, forcePathStyle: true });
const sfn = () => new SFNClient({ endpoint: world.stepFunctionsUrl, region: world.region, credentials });

async function upload(name: string): Promise<void> {
  for (const { path, bytes } of demoFiles('current')) {
    // Three slices say as much as twenty-four.
    if (/ct-chest\/.*(0[4-9]|1\d|2\d)\.dcm$/.test(path)) continue;
    const Key = `${name}/${CANARY}/${path}`;
    await s3().send(new PutObjectCommand({ Bucket: world.inboxBucket, Key, Body: bytes }));
  }
}

async function untilEmpty(): Promise<void> {
  const state = async () => {
    const { KeyCount } = await s3().send(new ListObjectsV2Command({ Bucket: world.inboxBucket }));
    const { executions = [] } = await sfn().send(
      new ListExecutionsCommand({ stateMachineArn: world.stateMachineArns.ingest, statusFilter: 'RUNNING' }),
    );
    return [KeyCount, executions.length];
  };
  await vi.waitFor(async () => expect(await state()).toEqual([0, 0]), { timeout: 250_000, interval: 500 });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-permissions-'));
  world = await startWorld({
    dataDir: folder,
    basePort: 0,
    onCall: (functionName, call) => calls.push({ ...call, functionName }),
  });
  await upload(`${CANARY}-1`);
  await untilEmpty();
  await upload(`${CANARY}-2`);
  await untilEmpty();
});
afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true, force: true });
});

const S3_ACTIONS: Readonly<Record<string, string>> = {
  ListObjectsV2: 's3:ListBucket',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CopyObject: 's3:PutObject',
  UploadPart: 's3:PutObject',
  UploadPartCopy: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  DeleteObject: 's3:DeleteObject',
};

/** What IAM asks for a call. HealthImaging's image sets are known to it by id; any of the data store stands for all. */
function needsOf({ service, operation, bucket, key, copySource }: ServiceCall): Need[] {
  const arn = (where: string) => `arn:aws:s3:::${where}`;
  if (service === 's3') {
    // Each deleted key needs it; the keys are in the body.
    if (operation === 'DeleteObjects') return [['s3:DeleteObject', `${arn(bucket ?? '')}/`]];
    const action = S3_ACTIONS[operation] ?? `s3:${operation}`;
    const target: Need = [action, arn(key ? `${bucket}/${key}` : (bucket ?? ''))];
    return copySource ? [target, ['s3:GetObject', arn(copySource)]] : [target];
  }
  const { region, datastoreId } = world;
  const datastore = `arn:aws:medical-imaging:${region}:000000000000:datastore/${datastoreId}`;
  if (service === 'medical-imaging')
    return [
      [
        `medical-imaging:${operation}`,
        /ImageSet|ImageFrame|Tag/.test(operation) && !/^Search/.test(operation)
          ? `${datastore}/imageset/x`
          : datastore,
      ],
    ];
  const machine = world.stateMachineArns.ingest;
  if (operation === 'StartExecution') return [['states:StartExecution', machine]];
  if (operation === 'SendTaskSuccess')
    return [['states:SendTaskSuccess', world.stateMachineArns['import-batch'] ?? '']];
  if (operation === 'DescribeExecution')
    return [['states:DescribeExecution', `${machine.replace(':stateMachine:', ':execution:')}:x`]];
  return [[`${service}:${operation}`, '']];
}

const matches = (pattern: string, resource: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^$()[\]{}|\\/]/g, '\\$&'))
      .join('.*')}$`,
    's',
  ).test(resource);

/** The statements of each function's role, by function name. */
async function rolesByFunction(): Promise<Map<string, Statement[]>> {
  const template = await readTemplate(join(root, 'local/template.json'));
  const place = { stackName: 'isocenter-local', region: world.region, accountId: '000000000000' };
  const DatastoreArn = `arn:aws:medical-imaging:${world.region}:000000000000:datastore/${world.datastoreId}`;
  const Datastore = { ref: world.datastoreId, attributes: { DatastoreId: world.datastoreId, DatastoreArn } };
  const resolved = resolveTemplate(template, {}, place, { Datastore });
  const roles = new Map(resolved.ofType('AWS::IAM::Role').map((role) => [role.attributes.Arn, role]));
  return new Map(
    resolved.ofType('AWS::Lambda::Function').map(({ ref, properties }) => {
      const policies = roles.get(String(properties.Role))?.properties.Policies as unknown as {
        PolicyDocument: { Statement: Statement[] };
      }[];
      return [ref, policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)];
    }),
  );
}

it('lets every function do what it does, on the very resource', async () => {
  const roles = await rolesByFunction();
  const isAllowed = (functionName: string, [action, resource]: Need) =>
    roles
      .get(functionName)
      ?.some(
        ({ Action, Resource }) =>
          [Action].flat().includes(action) &&
          [Resource]
            .flat()
            .some(
              (pattern) =>
                matches(pattern, resource) || (pattern.startsWith(resource) && action === 's3:DeleteObject'),
            ),
      );
  const refused = calls.flatMap(({ functionName, ...call }) =>
    needsOf(call)
      .filter((need) => !isAllowed(functionName, need))
      .map(([action, resource]) => `${functionName}: ${action} on ${resource}`),
  );
  expect([...new Set(refused)]).toEqual([]);
  expect(isAllowed('isocenter-local-checkImportJob', ['s3:PutObject', 'arn:aws:s3:::x/y'])).toBe(false);
  // The event of each ended job wakes its batch; whether it or the look comes first is a race.
  expect(
    calls.some(({ service, operation }) => service === 'states' && operation === 'SendTaskSuccess'),
  ).toBe(true);
  expect(new Set(calls.map(({ functionName }) => functionName)).size).toBeGreaterThan(12);
});

it('counts what it asked of the services', () => {
  const { requests, transitions, invocations } = world.counters();
  expect(requests['medical-imaging:GetImageFrame']).toBeGreaterThan(40);
  expect(requests['s3:CopyObject']).toBeGreaterThan(40);
  expect(transitions).toBeGreaterThan(20);
  expect(invocations).toBeGreaterThan(20);
});

it('leaves no name of a patient, an upload or a file for operators', async () => {
  const texts = new Map<string, string>([
    ['notifications', await readFile(join(folder, 'notifications.ndjson'), 'utf8')],
  ]);
  for (const file of await readdir(join(folder, 'logs')))
    texts.set(file, await readFile(join(folder, 'logs', file), 'utf8'));
  for (const [name, stateMachineArn] of Object.entries(world.stateMachineArns)) {
    const { executions = [] } = await sfn().send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn } of executions)
      texts.set(
        `history of ${name}`,
        JSON.stringify(await sfn().send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))),
      );
  }
  expect(texts.size).toBeGreaterThan(15);
  for (const [where, text] of texts)
    for (const word of [CANARY, 'PHANTOM', 'DEMO-', '19700101', 'ct-chest', 'truncated-header'])
      expect(text.includes(word), `${word} in ${where}`).toBe(false);
});
