/**
 * A person's decision takes minutes, within the service's rates, and outlives the request that asked for it: the asking is
 * kept in the work bucket, somebody carries it out (safe to repeat after a crash, from where it stood), and the page looks
 * how it stands.
 */
import { readJson } from '../ingest/ndjson.ts';
import type { HumanDecision } from '../ingest/resolutions.ts';
import { workKeys } from '../ingest/work-keys.ts';
import { PreconditionFailed } from '../ports/object-store.ts';
import { ACTIONS, type Body } from './actions.ts';
import type { DecisionState } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';

/** Name of a decision, as executions have one: `undo` takes it too. */
const DECISION_ID = /^resolve-[0-9a-z]{6,12}-[0-9a-f]{8}$/;
/** A crash is gone on from so often. */
const MOST_TRIES = 3;
/** Nobody can still be at it: three tries of a function's longest time. */
const LONGEST_MS = 60 * 60_000;

export interface AskedDecision {
  readonly decisionId: string;
  readonly series: string;
  readonly action: string;
  /** What the page sent; ids and keywords, no values of patients. */
  readonly body: Body;
  readonly by: HumanDecision;
  readonly tries: number;
  readonly end?: DecisionState;
}

/** What carrying a decision out needs. */
export type DecisionDeps = Pick<Backend, 'workBucket' | 'deps' | 'mergeDeps'>;

const locationOf = ({ workBucket }: Pick<Backend, 'workBucket'>, decisionId: string) => ({
  bucket: workBucket,
  key: workKeys.askedDecision(decisionId),
});

const write = (backend: DecisionDeps, decision: AskedDecision) =>
  backend.deps.objects.write(locationOf(backend, decision.decisionId), JSON.stringify(decision));

/**
 * Keeps what was asked for, and has it carried out; once for a name, however often a page asks that got no answer. Throws
 * HttpProblem 400 for what is no name.
 */
export async function startDecision(backend: Backend, asked: Omit<AskedDecision, 'tries'>): Promise<void> {
  const { decisionId } = asked;
  if (!DECISION_ID.test(decisionId)) throw new HttpProblem(400, 'decisionId: not the name of a decision');
  const text = JSON.stringify({ ...asked, tries: 0 } satisfies AskedDecision);
  try {
    await backend.deps.objects.write(locationOf(backend, decisionId), text, { ifNoneMatch: '*' });
  } catch (error) {
    if (!(error instanceof PreconditionFailed)) throw error;
    const { tries, end } = await read(backend, decisionId);
    if (tries > 0 || end !== undefined) return;
  }
  await backend.startDecision(decisionId);
}

async function read(backend: DecisionDeps, decisionId: string): Promise<AskedDecision> {
  if (!DECISION_ID.test(decisionId)) throw new HttpProblem(400, 'not the name of a decision');
  const { bucket, key } = locationOf(backend, decisionId);
  const found = await readJson<AskedDecision>(backend.deps.objects, bucket, key);
  if (found === undefined) throw new HttpProblem(404, `there is no decision ${decisionId}`);
  return found.value;
}

export async function readDecision(backend: Backend, decisionId: string): Promise<DecisionState> {
  const { end, by } = await read(backend, decisionId);
  if (end !== undefined) return end;
  if (backend.deps.clock.now() - Date.parse(by.at) < LONGEST_MS) return { state: 'running' };
  return { state: 'refused', says: 'It did not come to its end; look at the series and decide again.' };
}

/**
 * To its end, or throws what went wrong inside: whoever called tries again, and after the last try it ends as refused.
 * What cannot be done ends as refused at once, with its reason.
 */
export async function carryOutDecision(backend: DecisionDeps, decisionId: string): Promise<void> {
  for (;;) {
    const asked = await read(backend, decisionId);
    if (asked.end !== undefined) return;
    const tries = asked.tries + 1;
    await write(backend, { ...asked, tries });
    const end = await endOf(backend, { ...asked, tries });
    if (end === undefined) continue;
    await write(backend, { ...asked, tries, end });
    return;
  }
}

/** Undefined: something went wrong inside, and it may be tried again. */
async function endOf(backend: DecisionDeps, asked: AskedDecision): Promise<DecisionState | undefined> {
  const { series, action, body, by, decisionId, tries } = asked;
  if (tries > MOST_TRIES) return { state: 'refused', says: 'It broke off three times; look at the series.' };
  const run = Object.entries(ACTIONS).find(([name]) => name === action)?.[1];
  if (run === undefined) return { state: 'refused', says: 'unknown action' };
  try {
    const deps = await backend.mergeDeps();
    return { state: 'done', says: await run(deps, { series, body, by, decisionId, isAgain: tries > 1 }) };
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'CannotResolve' || error instanceof HttpProblem) return { state: 'refused', says: message };
    if (tries < MOST_TRIES) return undefined;
    return { state: 'refused', says: `something went wrong inside: ${name}; look at the series` };
  }
}

/** Decisions that were asked for and whose server ended meanwhile. */
export async function* unfinishedDecisions(backend: Backend): AsyncGenerator<string> {
  for await (const { key } of backend.deps.objects.list(backend.workBucket, workKeys.askedDecisions)) {
    const asked = (await readJson<AskedDecision>(backend.deps.objects, backend.workBucket, key))?.value;
    if (asked !== undefined && asked.end === undefined) yield asked.decisionId;
  }
}
