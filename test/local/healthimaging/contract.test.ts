/**
 * The contract, generated from the API model: each input that it forbids is a ValidationException, each that it allows
 * is none of the model's kind, and every answer is one that the operation declares. `HEALTHIMAGING_ENDPOINT` points the
 * suite elsewhere.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operationModels } from '../../../local/healthimaging/model-data.ts';
import { type HealthImaging, startHealthImaging } from '../../../local/healthimaging/server.ts';
import { casesOf, type ModelCase, toRequest } from './model-cases.ts';

const elsewhere = process.env.HEALTHIMAGING_ENDPOINT;
const servers = new Map<string, HealthImaging>();
beforeAll(async () => {
  if (elsewhere !== undefined) return;
  for (const behaviour of ['current', '2024'] as const) {
    const quotas = { datastores: 1_000_000 };
    servers.set(behaviour, await startHealthImaging({ fsync: false, behaviour, quotas }));
  }
});
afterAll(async () => {
  for (const server of servers.values()) await server.close();
});

/** What the model's constraints answer when they are broken; our own rules say it otherwise. */
const MODEL_PROBLEM = /validation errors? detected/;

async function problemOf(endpoint: string, one: ModelCase): Promise<string | undefined> {
  const { method, path, body } = toRequest(one.operation, one.input);
  const response = await fetch(endpoint + path, { method, ...(body !== undefined && { body }) });
  const text = await response.text();
  const error = response.headers.get('x-amzn-errortype') ?? '';
  const declared = operationModels[one.operation]!.errors.map(({ shape }) => shape);
  const saw = `${response.status} ${error} ${text.slice(0, 200)}`;
  if (!response.headers.get('x-amzn-requestid')) return `no request id: ${saw}`;
  if (response.status >= 500) return `a failure of the server: ${saw}`;
  if (response.status === 200) return one.isValid ? undefined : `accepted: ${saw}`;
  if (!declared.includes(error)) return `not declared: ${saw}`;
  if (typeof JSON.parse(text).message !== 'string') return `no message: ${saw}`;
  const isModelProblem = error === 'ValidationException' && MODEL_PROBLEM.test(text);
  return isModelProblem === !one.isValid ? undefined : `${one.isValid ? 'valid' : 'invalid'}, but ${saw}`;
}

const operations = Object.keys(operationModels);

describe.each(elsewhere === undefined ? ['current', '2024'] : ['elsewhere'])('%s', (behaviour) => {
  test.each(operations.map((operation) => [operation, casesOf(operation)] as const))(
    '%s at and beside the bounds of the model',
    async (_, cases) => {
      const endpoint = elsewhere ?? servers.get(behaviour)!.endpoint;
      const problems: string[] = [];
      for (const one of cases) {
        const problem = await problemOf(endpoint, one);
        if (problem) problems.push(`${one.name}: ${problem}`);
      }
      expect(problems).toEqual([]);
    },
  );
});

test('the suite holds every operation and hundreds of inputs', () => {
  const total = operations.reduce((sum, operation) => sum + casesOf(operation).length, 0);
  console.log(`contract: ${operations.length} operations, ${total} inputs`);
  expect(operations).toHaveLength(18);
  expect(total).toBeGreaterThan(300);
});
