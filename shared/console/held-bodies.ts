/** What pages send about objects that are held: parsed when a decision is asked for, and when it is carried out. Pure. */
import { HELD_CODES, type HeldCode } from '../ingest/held-codes.ts';
import type { Body } from './actions.ts';
import type { HeldInstance } from './api.ts';
import { HttpProblem, textMember, UID } from './http.ts';

/** A case names no more instances. */
const MOST_INSTANCES = 500;
/** More do not fit into a body. */
const MOST_SERIES = 900;
const OBJECT = /^[0-9a-f]{16}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

const isInstance = (one: unknown): one is HeldInstance => {
  const { sop, object } = (one ?? {}) as Partial<Record<keyof HeldInstance, unknown>>;
  return UID.test(String(sop)) && OBJECT.test(String(object));
};

/** One instance, and the object that a person looks at. Throws HttpProblem 400. */
export function instanceOf({ sop, object }: Body): HeldInstance {
  const one = { sop, object };
  if (!isInstance(one)) throw new HttpProblem(400, 'sop, object: expected those of an instance that is held');
  return { sop: one.sop, object: one.object };
}

/** The instances that are to be replaced, each by which object. Throws HttpProblem 400. */
export function instancesOf({ instances }: Body): readonly HeldInstance[] {
  if (!Array.isArray(instances) || !instances.every(isInstance))
    throw new HttpProblem(400, 'instances: expected a list of those that are held, each with its object');
  if (instances.length === 0 || instances.length > MOST_INSTANCES)
    throw new HttpProblem(400, `instances: expected 1 to ${MOST_INSTANCES}, got ${instances.length}`);
  return instances;
}

/** What is left out: what was refused with `code` of these series in that time. Throws HttpProblem 400. */
export function leftOutOf(body: Body): {
  readonly code: HeldCode;
  readonly alsoSeries: readonly string[];
  readonly since?: string;
  readonly until?: string;
} {
  const { alsoSeries = [] } = body;
  const code = HELD_CODES.find((one) => one === body.code);
  if (code === undefined) throw new HttpProblem(400, `code: expected one of ${HELD_CODES.join(', ')}`);
  if (!Array.isArray(alsoSeries) || !alsoSeries.every((one) => UID.test(String(one))))
    throw new HttpProblem(400, 'alsoSeries: expected a list of Series Instance UIDs');
  if (alsoSeries.length > MOST_SERIES)
    throw new HttpProblem(400, `alsoSeries: expected at most ${MOST_SERIES}, got ${alsoSeries.length}`);
  return { code, alsoSeries: alsoSeries.map(String), ...timeOf(body, 'since'), ...timeOf(body, 'until') };
}

function timeOf<Name extends 'since' | 'until'>(body: Body, name: Name): { readonly [N in Name]?: string } {
  const time = textMember(body, name);
  if (time === undefined) return {};
  if (!TIME.test(time)) throw new HttpProblem(400, `${name}: expected a time in ISO 8601, UTC`);
  return { [name]: time } as { readonly [N in Name]: string };
}

const CHECKS: Readonly<Record<string, (body: Body) => unknown>> = {
  replace: instancesOf,
  'leave-out': leftOutOf,
};

/** Throws HttpProblem 400. */
export const checkHeldBody = (action: string, body: Body): void => void CHECKS[action]?.(body);
