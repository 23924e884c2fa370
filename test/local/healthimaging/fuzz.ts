/**
 * Random requests from the API model: mutated inputs, paths, queries and bodies, seeded. As a program:
 * `npx esbuild --bundle --platform=node --format=esm --packages=external test/local/healthimaging/fuzz-main.ts | node --input-type=module`.
 */
import { operationModels } from '../../../local/healthimaging/model-data.ts';
import { casesOf, toRequest } from './model-cases.ts';

export interface FuzzResult {
  readonly statuses: Readonly<Record<number, number>>;
  readonly problems: readonly string[];
}

const JUNK = [
  '',
  '\0',
  '..',
  '%00',
  '%zz',
  '\u{1F600}',
  '-1',
  '1e999',
  'null',
  '[]',
  '{}',
  'a'.repeat(5_000),
  '\\"',
];

/** Sends `requests` of them, four at a time; every problem is a 5xx, a hang, or an answer that is not well-formed. */
export async function fuzz(
  endpoint: string,
  options: { seed: number; requests: number },
): Promise<FuzzResult> {
  const random = seeded(options.seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const cases = Object.keys(operationModels).flatMap(casesOf);
  const statuses: Record<number, number> = {};
  const problems: string[] = [];

  async function one(): Promise<void> {
    const { operation, input, name } = pick(cases);
    const { method, path, body } = toRequest(operation, mutateMembers(input));
    const target = random() < 0.2 ? damage(path) : path;
    const content = body !== undefined && random() < 0.2 ? damage(body) : body;
    const verb = random() < 0.05 ? pick(['GET', 'POST', 'DELETE', 'PUT', 'PATCH']) : method;
    const problem = await send(endpoint, verb, target, verb === 'GET' ? undefined : content, statuses);
    if (problem) problems.push(`${operation} ${name}: ${verb} ${target.slice(0, 200)}: ${problem}`);
  }

  /** Now and then another value somewhere in the input. */
  function mutate(value: unknown): unknown {
    if (random() < 0.05) return pick<unknown>([...JUNK, 0, -1, 1e308, true, null, [], {}, [[]]]);
    if (Array.isArray(value)) return value.map(mutate);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mutate(item)]));
  }

  function mutateMembers(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(input).map(([key, item]) => [key, mutate(item)]));
  }

  function damage(text: string): string {
    const at = Math.floor(random() * text.length);
    return text.slice(0, at) + pick(JUNK) + text.slice(at + Math.floor(random() * 3));
  }

  let left = options.requests;
  const lane = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  return { statuses, problems };
}

async function send(
  endpoint: string,
  method: string,
  path: string,
  body: string | undefined,
  statuses: Record<number, number>,
): Promise<string | undefined> {
  let url: URL;
  try {
    url = new URL(endpoint + (path.startsWith('/') ? path : `/${path}`));
  } catch {
    return undefined;
  }
  const init = { method, ...(body !== undefined && { body }), signal: AbortSignal.timeout(20_000) };
  const response = await fetch(url, init).catch((error: Error) => error);
  if (response instanceof Error) return `no answer: ${response.name}`;
  statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  const text = await response.text();
  if (response.status >= 500) return `${response.status} ${text.slice(0, 200)}`;
  if (!response.headers.get('x-amzn-requestid')) return 'no request id';
  if (response.status === 200) return undefined;
  if (!response.headers.get('x-amzn-errortype')) return `${response.status} without an error type`;
  return typeof JSON.parse(text).message === 'string' ? undefined : 'an error without a message';
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4294967296;
  };
}
