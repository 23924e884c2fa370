import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterEach, describe, expect, it } from 'vitest';
import { type EventBuses, startEventBuses } from '../../../local/world/event-bus.ts';
import { compileInput } from '../../../local/world/event-input.ts';
import { startFunctionHost } from '../../../local/world/function-host.ts';
import { parseRate } from '../../../local/world/schedule.ts';
import { startServicesEndpoint } from '../../../local/world/services-endpoint.ts';
import type { Resource } from '../../../local/world/template.ts';
import { startTopics } from '../../../local/world/topic.ts';

/** For machines that do much else. */
const PATIENCE = { timeout: 20_000 };

const place = { stackName: 's', region: 'us-east-1', accountId: '000000000000' };
const rule = (logicalId: string, properties: Resource['properties']): Resource => ({
  logicalId,
  type: 'AWS::Events::Rule',
  properties,
  ref: logicalId,
  attributes: {},
});
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Buses with one rule on `isocenter`, behind the endpoint that functions use. */
async function startBuses(deliver: (text: string) => Promise<void>) {
  const logged: string[] = [];
  const properties = {
    EventBusName: 'isocenter',
    EventPattern: { source: ['isocenter'] },
    Targets: [{ Id: 't', Arn: 'a' }],
  };
  const buses: EventBuses = startEventBuses({
    rules: [rule('R', properties)],
    busNames: ['isocenter'],
    place,
    target: () => deliver,
    log: (line) => logged.push(line),
  });
  const host = startFunctionHost({ functions: [] });
  const endpoint = await startServicesEndpoint(() => ({ buses, host, log: (line) => logged.push(line) }));
  stops.push(endpoint.close, host.close);
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  return {
    client: new EventBridgeClient({ endpoint: endpoint.url, region: 'us-east-1', credentials }),
    endpoint,
    logged,
  };
}

describe('event buses', () => {
  it('hand on what the official client puts, and refuse each bad entry by itself', async () => {
    const delivered: string[] = [];
    const { client } = await startBuses(async (text) => void delivered.push(text));
    const entry = {
      EventBusName: 'isocenter',
      Source: 'isocenter',
      DetailType: 'Ingest Finished',
      Detail: '{"n":1}',
    };
    const { FailedEntryCount, Entries } = await client.send(
      new PutEventsCommand({
        Entries: [
          entry,
          { ...entry, EventBusName: 'nope' },
          { ...entry, Detail: 'not json' },
          { ...entry, Source: 'aws.s3' },
          { ...entry, EventBusName: undefined },
          { ...entry, Detail: JSON.stringify({ x: 'x'.repeat(300_000) }) },
        ],
      }),
    );
    expect(FailedEntryCount).toBe(4);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'ResourceNotFoundException',
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      undefined,
      'InvalidArgument',
    ]);
    await expect.poll(() => delivered.length, PATIENCE).toBe(1);
    expect(JSON.parse(delivered[0]!)).toMatchObject({ 'detail-type': 'Ingest Finished', detail: { n: 1 } });
  });

  it('try a delivery again when it fails', async () => {
    let attempts = 0;
    const { client } = await startBuses(async () => {
      if (++attempts < 3) throw new Error('busy');
    });
    const Entries = [{ EventBusName: 'isocenter', Source: 'isocenter', DetailType: 'x', Detail: '{}' }];
    await client.send(new PutEventsCommand({ Entries }));
    await expect.poll(() => attempts, PATIENCE).toBe(3);
  });

  it('are the end of every other call of a function: nothing leaves the machine', async () => {
    const { endpoint } = await startBuses(async () => {});
    const answer = await fetch(endpoint.url, {
      method: 'POST',
      headers: { 'x-amz-target': 'DynamoDB.PutItem' },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ message: 'DynamoDB.PutItem is not run locally' });
  });
});

describe('what a target gets', () => {
  const event = { source: 's', detail: { counts: { failed: 2 }, upload: 'a "b"', list: ['x'] } };
  it.each([
    ['the event', {}, JSON.stringify(event)],
    ['a constant', { Input: '{"a":1}' }, '{"a":1}'],
    ['a part', { InputPath: '$.detail.counts' }, '{"failed":2}'],
    [
      'JSON of a template',
      { InputTransformer: { InputPathsMap: { n: '$.detail.counts.failed' }, InputTemplate: '{"n": <n>}' } },
      '{"n": 2}',
    ],
    [
      'a text with values inside quotes',
      {
        InputTransformer: {
          InputPathsMap: { u: '$.detail.upload', x: '$.nope' },
          InputTemplate: '"Upload <u>: <x>"',
        },
      },
      '"Upload a \\"b\\": "',
    ],
  ])('is %s', (_name, target, text) => {
    expect(compileInput(target, 'R')(event)).toBe(text);
  });

  it('is refused where a template names what is not given', () => {
    const InputTransformer = { InputPathsMap: {}, InputTemplate: '<n>' };
    expect(() => compileInput({ InputTransformer }, 'R')).toThrow(/^R: <n> is not in InputPathsMap/);
  });
});

describe('schedules', () => {
  it.each([
    ['rate(1 minute)', 60],
    ['rate(5 minutes)', 300],
    ['rate(2 hours)', 7200],
    ['rate(1 day)', 86_400],
  ])('run %s', (expression, seconds) => expect(parseRate(expression, 'R')).toBe(seconds));
  it.each(['cron(0 12 * * ? *)', 'rate(1 minutes)', 'rate(0 minutes)', 'at(2026-01-01T00:00:00)'])(
    'refuse %s',
    (e) => expect(() => parseRate(e, 'R')).toThrow(/^R: expected rate/),
  );
});

describe('topics', () => {
  it('keep each message, show its first line, and send it to webhooks', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isocenter-topic-'));
    const posted: string[] = [];
    const hook = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => posted.push(chunk.toString()));
      request.on('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => hook.once('listening', listening));
    stops.push(
      async () => void hook.close(),
      () => rm(folder, { recursive: true }),
    );
    const logged: string[] = [];
    const file = join(folder, 'notifications.ndjson');
    const endpoint = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
    const topics = startTopics({
      topicArns: ['arn:t'],
      subscriptions: [
        { topicArn: 'arn:t', protocol: 'email', endpoint: 'a@example.org' },
        { topicArn: 'arn:t', protocol: 'http', endpoint },
      ],
      file,
      log: (line) => logged.push(line),
      deliver: async () => {},
    });
    const { MessageId } = await topics.publish({ TopicArn: 'arn:t', Message: '"All well"\n"12 instances"' });
    await expect.poll(() => posted.length, PATIENCE).toBe(1);
    expect(JSON.parse(posted[0]!)).toMatchObject({ MessageId, TopicArn: 'arn:t', Type: 'Notification' });
    expect(logged).toEqual(['notification: All well']);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ messageId: MessageId });
    await expect(topics.publish({ TopicArn: 'arn:other', Message: 'x' })).rejects.toThrow('NotFound');
  });
});
