/** A runtime with machines given by their states, an SDK client on it, and services that remember what they were asked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  type PutEventsEntry,
  type StepFunctions,
  startStepFunctions,
  type TaskServices,
} from '../../../local/stepfunctions/server.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';
export const machineArn = (name: string): string =>
  `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`;
export const INVOKE = 'arn:aws:states:::lambda:invoke';

/** A task that calls `name` with `payload`. */
export const invoke = (
  name: string,
  payload: unknown = '{% $states.input %}',
  more: object = {},
): object => ({
  Type: 'Task',
  Resource: INVOKE,
  Arguments: { FunctionName: name, Payload: payload },
  Output: '{% $states.result.Payload %}',
  ...more,
});

/** A machine of these states, begun at the first; a state without Next, Choices or an end of its own gets End. */
export function machine(states: Record<string, object>, more: object = {}): object {
  const closed = Object.entries(states).map(([name, state]) => {
    const { Type: type, Next: next } = state as { Type?: string; Next?: string };
    const ends = type === 'Choice' || type === 'Succeed' || type === 'Fail' || next !== undefined;
    return [name, ends ? state : { ...state, End: true }];
  });
  return {
    QueryLanguage: 'JSONata',
    StartAt: Object.keys(states)[0],
    States: Object.fromEntries(closed),
    ...more,
  };
}

/** The same without QueryLanguage: for branches and item processors. */
export function scope(states: Record<string, object>, more: object = {}): object {
  const { QueryLanguage: _language, ...rest } = machine(states) as { QueryLanguage: string };
  return { ...rest, ...more };
}

export const distributed = (states: Record<string, object>, executionType = 'EXPRESS'): object =>
  scope(states, { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: executionType } });

export class NamedError extends Error {
  constructor(name: string, message = 'it went wrong') {
    super(message);
    this.name = name;
  }
}

type Fn = (payload: never, options: { signal: AbortSignal }) => unknown;

export class Services implements TaskServices {
  readonly functions: Record<string, Fn>;
  readonly objects = new Map<string, string>();
  readonly events: PutEventsEntry[] = [];
  readonly messages: { TopicArn: string; Message: string; Subject?: string }[] = [];
  readonly calls: { name: string; payload: unknown }[] = [];
  failedEntries = 0;

  constructor(functions: Record<string, Fn> = {}) {
    this.functions = functions;
  }

  async invokeFunction(name: string, payload: unknown, options: { signal: AbortSignal }): Promise<unknown> {
    this.calls.push({ name, payload });
    const run = this.functions[name];
    if (!run) throw new NamedError('Lambda.ResourceNotFoundException', `no function ${name}`);
    return run(payload as never, options);
  }

  async putEvents(entries: PutEventsEntry[]): Promise<{ FailedEntryCount: number; Entries: unknown[] }> {
    this.events.push(...entries);
    return {
      FailedEntryCount: this.failedEntries,
      Entries: entries.map((_, index) => ({ EventId: `e${index}` })),
    };
  }

  async publish(request: {
    TopicArn: string;
    Message: string;
    Subject?: string;
  }): Promise<{ MessageId: string }> {
    this.messages.push(request);
    return { MessageId: 'm1' };
  }

  async readObject(bucket: string, key: string): Promise<Uint8Array> {
    const text = this.objects.get(`${bucket}/${key}`);
    if (text === undefined) throw new NamedError('NoSuchKey', 'The specified key does not exist.');
    return new TextEncoder().encode(text);
  }

  async *listObjects(bucket: string, prefix: string) {
    for (const [path, text] of [...this.objects].sort(([one], [other]) => (one < other ? -1 : 1))) {
      if (!path.startsWith(`${bucket}/${prefix}`)) continue;
      yield {
        Key: path.slice(bucket.length + 1),
        Size: text.length,
        Etag: '"e"',
        LastModified: '2026-01-02T03:04:05Z',
      };
    }
  }

  async writeObject(bucket: string, key: string, body: Uint8Array | string): Promise<void> {
    this.objects.set(`${bucket}/${key}`, typeof body === 'string' ? body : new TextDecoder().decode(body));
  }
}

export interface Ended {
  readonly executionArn: string;
  readonly status: string;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

export interface TestRuntime extends AsyncDisposable {
  readonly sfn: StepFunctions;
  readonly client: SFNClient;
  readonly services: Services;
  readonly dataDir: string;
  /** Starts `name` (default m) and waits for its end. */
  run(input?: unknown, name?: string): Promise<Ended>;
  start(input?: unknown, name?: string, executionName?: string): Promise<string>;
  end(executionArn: string): Promise<Ended>;
  eventTypes(executionArn: string): Promise<string[]>;
}

export async function startRuntime(
  definitions: Record<string, object>,
  options: { services?: Services; dataDir?: string; express?: readonly string[] } = {},
): Promise<TestRuntime> {
  const services = options.services ?? new Services();
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'isocenter-sfn-')));
  const sfn = await startStepFunctions({
    dataDir,
    region: REGION,
    accountId: ACCOUNT,
    services,
    stateMachines: Object.entries(definitions).map(([name, definition]) => ({
      name,
      arn: machineArn(name),
      roleArn: `arn:aws:iam::${ACCOUNT}:role/test`,
      type: options.express?.includes(name) ? 'EXPRESS' : 'STANDARD',
      definition,
    })),
  });
  const client = clientOf(sfn.url);
  const end = (arn: string) => endOf(client, arn);
  const start = async (input: unknown = {}, name = 'm', executionName?: string) => {
    const answer = await client.send(
      new StartExecutionCommand({
        stateMachineArn: machineArn(name),
        input: JSON.stringify(input),
        ...(executionName !== undefined && { name: executionName }),
      }),
    );
    return answer.executionArn as string;
  };
  return {
    sfn,
    client,
    services,
    dataDir,
    start,
    end,
    run: async (input, name) => end(await start(input, name)),
    eventTypes: async (executionArn) => {
      const { events } = await client.send(
        new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }),
      );
      return (events ?? []).map((event) => event.type as string);
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await sfn.close();
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export const clientOf = (url: string): SFNClient =>
  new SFNClient({
    endpoint: url,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });

/** Asks until the execution has ended. */
export async function endOf(client: SFNClient, executionArn: string): Promise<Ended> {
  for (;;) {
    const { status, output, error, cause } = await client.send(
      new DescribeExecutionCommand({ executionArn }),
    );
    if (status !== 'RUNNING') {
      return {
        executionArn,
        status: status as string,
        output: output === undefined ? undefined : JSON.parse(output),
        error,
        cause,
      };
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs one machine once on services of its own. */
export async function runOnce(
  states: Record<string, object>,
  options: { input?: unknown; functions?: Record<string, Fn>; services?: Services } = {},
): Promise<Ended & { readonly services: Services }> {
  const services = options.services ?? new Services(options.functions);
  await using runtime = await startRuntime({ m: machine(states) }, { services });
  return { ...(await runtime.run(options.input)), services };
}
