/** The world runs what the template says: wiring that is added to a copy of the template is live, and nothing else is needed. */
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetExecutionHistoryCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findRunningWorld, startWorld, type World, type WorldOptions } from '../../../local/world/world.ts';

/** For machines that do much else. */
const PATIENCE = { timeout: 20_000 };

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}
interface Definition {
  StartAt: string;
  States: Record<string, unknown>;
}

const root = join(import.meta.dirname, '../../..');
const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
let folder: string;
let template: Template;
let world: World | undefined;

/** Every function of the template, as one that writes down what it gets. */
async function writeFunctions(codeRoot: string): Promise<void> {
  const source = `
    import { appendFileSync } from 'node:fs';
    export const handler = async (event) => {
      appendFileSync(${JSON.stringify(join(codeRoot, 'seen.ndjson'))}, JSON.stringify({ name: process.env.AWS_LAMBDA_FUNCTION_NAME, event, env: process.env }) + '\\n');
      return { hello: event.name ?? 'world' };
    };`;
  const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  for (const { Properties } of functions) {
    const file = join(codeRoot, `${String(Properties.Handler).replace(/\.handler$/, '')}.mjs`);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, source);
  }
}

async function seen(): Promise<
  { name: string; event: Record<string, unknown>; env: Record<string, string> }[]
> {
  const text = await readFile(join(folder, 'seen.ndjson'), 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** A copy of our template with one more function, a rule that calls it, and a state that calls it. */
function addWiring(original: Template): Template {
  const copy = structuredClone(original);
  const { TakeUploadLambdaFunction, IngestStateMachine } = copy.Resources;
  const GreetLambdaFunction = structuredClone(TakeUploadLambdaFunction!);
  GreetLambdaFunction.Properties.FunctionName = 'greet';
  GreetLambdaFunction.Properties.Handler = 'dist/functions/greet/index.handler';
  const definition = IngestStateMachine!.Properties.Definition as Definition;
  definition.States.Greet = {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: `\${GreetFunctionArn}`, Payload: { name: 'a state' } },
    Next: definition.StartAt,
  };
  definition.StartAt = 'Greet';
  Object.assign(IngestStateMachine!.Properties.DefinitionSubstitutions as object, {
    GreetFunctionArn: { 'Fn::GetAtt': ['GreetLambdaFunction', 'Arn'] },
  });
  const GreetRule = {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['aws.s3'], detail: { object: { key: [{ suffix: '.hello' }] } } },
      Targets: [
        {
          Id: 'greet',
          Arn: { 'Fn::GetAtt': ['GreetLambdaFunction', 'Arn'] },
          InputTransformer: {
            InputPathsMap: { key: '$.detail.object.key' },
            InputTemplate: '{"name": <key>}',
          },
        },
      ],
    },
  };
  Object.assign(copy.Resources, { GreetLambdaFunction, GreetRule });
  return copy;
}

async function start(more: Partial<WorldOptions> = {}): Promise<World> {
  world = await startWorld({ dataDir: join(folder, 'data'), basePort: 0, codeRoot: folder, ...more });
  return world;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-world-'));
  template = addWiring(JSON.parse(await readFile(join(root, 'local/template.json'), 'utf8')) as Template);
  await writeFunctions(folder);
  await appendFile(join(folder, 'seen.ndjson'), '');
  await writeFile(join(folder, 'template.json'), JSON.stringify(template));
});
afterEach(async () => {
  await world?.close();
  world = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the local world', () => {
  it('runs a function, a rule and a state that were added to the template', async () => {
    const { s3Url, stepFunctionsUrl, inboxBucket, region, stateMachineArns } = await start({
      templatePath: join(folder, 'template.json'),
    });
    const s3 = new S3Client({ endpoint: s3Url, region, credentials, forcePathStyle: true });
    await s3.send(new PutObjectCommand({ Bucket: inboxBucket, Key: 'up/a b+ü.hello', Body: 'x' }));
    await expect
      .poll(
        async () => (await seen()).filter(({ name }) => name === 'greet').map(({ event }) => event),
        PATIENCE,
      )
      .toEqual([{ name: 'up/a b+ü.hello' }]);

    const received = async () => (await seen()).find(({ name }) => name === 'isocenter-local-receiveUploads');
    await expect.poll(received, PATIENCE).toBeDefined();
    const { event, env } = (await received())!;
    const body = JSON.parse((event.Records as { body: string }[])[0]!.body);
    expect(body).toMatchObject({ source: 'aws.s3', detail: { object: { key: 'up/a b+ü.hello', size: 1 } } });
    expect(env).toMatchObject({ INBOX_BUCKET: inboxBucket, QUIET_SECONDS: '2', MERGE_GRACE_SECONDS: '0' });

    const sfn = new SFNClient({ endpoint: stepFunctionsUrl, region, credentials });
    const { executionArn } = await sfn.send(
      new StartExecutionCommand({ stateMachineArn: stateMachineArns.ingest, input: '{"uploadId":"up"}' }),
    );
    const entered = async () => {
      const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn }));
      return events.map(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name).filter(Boolean);
    };
    await expect.poll(entered, PATIENCE).toEqual(expect.arrayContaining(['Greet', 'TakeUpload']));
    expect((await seen()).some(({ event: { name } }) => name === 'a state')).toBe(true);
  });

  it('keeps its data store and its folder to itself, and goes without a trace', async () => {
    const first = await start();
    const dataDir = join(folder, 'data');
    expect(await findRunningWorld(dataDir)).toMatchObject({ pid: process.pid, consoleUrl: first.consoleUrl });
    await expect(startWorld({ dataDir, basePort: 0, codeRoot: folder })).rejects.toThrow(
      /^data directory .* is in use by another process \(process \d+\)$/,
    );
    await first.close();
    expect(await findRunningWorld(dataDir)).toBeUndefined();
    await expect(readFile(join(dataDir, 'world.json'))).rejects.toThrow();
    const second = await start();
    expect(second.datastoreId).toBe(first.datastoreId);
  });

  it('takes the next free port where one is taken', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => squatter.once('listening', listening));
    const { port } = squatter.address() as { port: number };
    const { consoleUrl } = await start({ basePort: port });
    expect(Number(new URL(consoleUrl).port)).toBeGreaterThan(port);
    const health = await fetch(`${consoleUrl}/health`);
    expect(await health.json()).toEqual({ status: 'ready', pid: process.pid });
    squatter.close();
  });

  it('refuses a template that it cannot run by the logical id, and leaves the folder free', async () => {
    const foreign = structuredClone(template);
    foreign.Resources.Cluster = { Type: 'AWS::RDS::DBCluster', Properties: {} };
    await writeFile(join(folder, 'foreign.json'), JSON.stringify(foreign));
    await expect(start({ templatePath: join(folder, 'foreign.json') })).rejects.toThrow(/^Cluster: AWS::RDS/);
    await expect(start({ parameters: { quietSeconds: 'soon' } })).rejects.toThrow(/^parameter quietSeconds/);
    await start();
  });
});
