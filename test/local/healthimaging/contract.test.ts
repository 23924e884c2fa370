/**
 * The contract, generated from the API model: each input that it forbids is a ValidationException, each that it allows
 * is none of the model's kind, and every answer is one that the operation declares. Twice: through the official client,
 * and over plain HTTP, which can send what the client's types cannot. `ISOCENTER_TEST_SERVICE` points both elsewhere.
 */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operationModels, shapeOf } from '../../../local/healthimaging/model-data.ts';
import { type HealthImaging, startHealthImaging } from '../../../local/healthimaging/server.ts';
import { clientFor } from './client.ts';
import { type ClientCase, clientCasesOf, commandOf } from './client-cases.ts';
import { casesOf, type ModelCase, toRequest } from './model-cases.ts';
import { elsewhere, isElsewhere } from './service-under-test.ts';

const behaviours = isElsewhere ? ['elsewhere'] : ['current', '2024'];
const servers = new Map<string, HealthImaging>();
const clients = new Map<string, sdk.MedicalImagingClient>();
beforeAll(async () => {
  for (const behaviour of behaviours) {
    if (!elsewhere) {
      const options = { fsync: false, behaviour: behaviour as 'current', quotas: { datastores: 1_000_000 } };
      servers.set(behaviour, await startHealthImaging(options));
    }
    clients.set(
      behaviour,
      elsewhere ? new sdk.MedicalImagingClient(elsewhere.client) : clientFor(servers.get(behaviour)!),
    );
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  for (const server of servers.values()) await server.close();
});

/** What the model's constraints answer when they are broken; our own rules say it otherwise. */
const MODEL_PROBLEM = /validation errors? detected/;
const declaredBy = (operation: string) => operationModels[operation]!.errors.map(({ shape }) => shape);

/** Raw bytes, signed by the client where the service asks for it: the local one takes them as they are. */
async function sendPlain(behaviour: string, one: ModelCase) {
  const { method, path, body } = toRequest(one.operation, one.input);
  if (elsewhere?.isAws) return sendSigned(clients.get(behaviour)!, one.operation, { method, path, body });
  const endpoint = elsewhere?.endpoint ?? servers.get(behaviour)!.endpoint;
  const response = await fetch(endpoint + path, { method, ...(body !== undefined && { body }) });
  const text = await response.text();
  return {
    status: response.status,
    error: response.headers.get('x-amzn-errortype') ?? '',
    message: response.ok ? '' : (JSON.parse(text) as { message?: unknown }).message,
    requestId: response.headers.get('x-amzn-requestid'),
  };
}

interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

/** The client's own way, host prefix and signature included, with another path and body. */
async function sendSigned(client: sdk.MedicalImagingClient, operation: string, raw: RawRequest) {
  const command = commandOf(operation, casesOf(operation)[0]!.input);
  command.middlewareStack.add(
    (next) => (args) => {
      const { pathname, searchParams } = new URL(raw.path, 'http://host');
      const query: Record<string, string[]> = {};
      for (const [name, value] of searchParams) query[name] = [...(query[name] ?? []), value];
      Object.assign(args.request as object, { method: raw.method, path: pathname, query, body: raw.body });
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  return client.send(command).then(
    ({ $metadata }) => ({ status: 200, error: '', message: '', requestId: $metadata.requestId }),
    (error: sdk.MedicalImagingServiceException) => ({
      status: error.$metadata?.httpStatusCode ?? 0,
      error: error.name,
      message: error.message,
      requestId: error.$metadata?.requestId,
    }),
  );
}

async function plainProblem(behaviour: string, one: ModelCase): Promise<string | undefined> {
  const { status, error, message, requestId } = await sendPlain(behaviour, one);
  const saw = `${status} ${error} ${String(message).slice(0, 200)}`;
  if (!requestId) return `no request id: ${saw}`;
  if (status >= 500) return `a failure of the server: ${saw}`;
  if (status === 200) return one.isValid ? undefined : `accepted: ${saw}`;
  if (!declaredBy(one.operation).includes(error)) return `not declared: ${saw}`;
  if (typeof message !== 'string') return `no message: ${saw}`;
  return judged(one, error, message, saw);
}

/** Elsewhere the words of a message are not ours to know. */
function judged(one: ModelCase, error: string, message: string, saw: string): string | undefined {
  if (isElsewhere) return one.isValid || error === 'ValidationException' ? undefined : `invalid, but ${saw}`;
  const isModelProblem = error === 'ValidationException' && MODEL_PROBLEM.test(message);
  return isModelProblem === !one.isValid ? undefined : `${one.isValid ? 'valid' : 'invalid'}, but ${saw}`;
}

async function clientProblem(behaviour: string, one: ClientCase): Promise<string | undefined> {
  try {
    await clients.get(behaviour)!.send(commandOf(one.operation, one.clientInput));
    return one.isValid ? undefined : 'accepted';
  } catch (error) {
    const saw = `${(error as Error).name}: ${(error as Error).message.slice(0, 200)}`;
    if (!(error instanceof sdk.MedicalImagingServiceException)) return `not the service's exception: ${saw}`;
    const { name, message, $metadata, $fault } = error;
    const declared = operationModels[one.operation]!.errors.find(({ shape }) => shape === name);
    if (!declared) return `not declared: ${saw}`;
    const status = shapeOf(name).error?.httpStatusCode;
    if ($metadata.httpStatusCode !== status) return `${$metadata.httpStatusCode} where ${status} is declared`;
    if ($fault !== 'client' || !$metadata.requestId) return `no request id, or the server's fault: ${saw}`;
    return judged(one, name, message, saw);
  }
}

const operations = Object.keys(operationModels);

describe.each(behaviours)('%s', (behaviour) => {
  test.each(operations.map((operation) => [operation, casesOf(operation)] as const))(
    'plain HTTP: %s at and beside the bounds of the model, missing and of wrong types',
    async (_, cases) => {
      const problems: string[] = [];
      for (const one of cases) {
        const problem = await plainProblem(behaviour, one);
        if (problem) problems.push(`${one.name}: ${problem}`);
      }
      expect(problems).toEqual([]);
    },
  );

  test.each(operations.map((operation) => [operation, clientCasesOf(operation)] as const))(
    'official client: %s at and beside the bounds of the model, and missing',
    async (_, cases) => {
      const problems: string[] = [];
      for (const one of cases) {
        const problem = await clientProblem(behaviour, one);
        if (problem) problems.push(`${one.name}: ${problem}`);
      }
      expect(problems).toEqual([]);
    },
  );
});

test('the suite holds every operation and hundreds of inputs', () => {
  const count = (casesFor: (operation: string) => readonly ModelCase[]) => {
    const all = operations.flatMap(casesFor);
    const constraints = new Set(all.map(({ operation, name }) => `${operation} ${name.split(':')[0]}`));
    return {
      inputs: all.length,
      invalid: all.filter(({ isValid }) => !isValid).length,
      members: constraints.size,
    };
  };
  const [plain, client] = [count(casesOf), count(clientCasesOf)];
  for (const behaviour of behaviours) {
    console.log(
      `contract, ${behaviour}: ${operations.length} operations; plain HTTP ${JSON.stringify(plain)}; official client ${JSON.stringify(client)}`,
    );
  }
  expect(operations).toHaveLength(18);
  expect(plain.inputs).toBeGreaterThan(300);
  expect(client.inputs).toBeGreaterThan(200);
});
