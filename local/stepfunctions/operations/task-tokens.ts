/** Callbacks of tasks that wait with a token: SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat. */
import { ServiceError } from '../errors.ts';
import { nestsWithin } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { Engine } from '../runtime/engine.ts';
import { MOST_LEVELS, optionalString, type Request, requiredString } from './parse.ts';

/** Characters of a token. Source: API model 2016-11-23. */
const LONGEST_TOKEN = 2048;

const tokenOf = (request: Request): string => requiredString(request, 'taskToken', LONGEST_TOKEN);

export async function sendTaskSuccess(engine: Engine, request: Request): Promise<object> {
  const token = tokenOf(request);
  await engine.tokens.answer(token, { output: outputOf(request) });
  return {};
}

export async function sendTaskFailure(engine: Engine, request: Request): Promise<object> {
  const token = tokenOf(request);
  const error = optionalString(request, 'error', 256) ?? 'States.TaskFailed';
  const cause = optionalString(request, 'cause', 32_768) ?? '';
  await engine.tokens.answer(token, { error, cause });
  return {};
}

export async function sendTaskHeartbeat(engine: Engine, request: Request): Promise<object> {
  await engine.tokens.heartbeat(tokenOf(request));
  return {};
}

/** JSON text within the limit of state data. Throws InvalidOutput. */
function outputOf(request: Request): string {
  const text = requiredString(request, 'output', LIMITS.stateDataBytes.max);
  const invalid = (why: string) => new ServiceError('InvalidOutput', `Invalid Output: '${why}'`);
  if (Buffer.byteLength(text) > LIMITS.stateDataBytes.max) throw invalid('it is too large');
  try {
    if (nestsWithin(JSON.parse(text), MOST_LEVELS)) return text;
  } catch {
    throw invalid('it is not JSON');
  }
  throw invalid(`it nests more than ${MOST_LEVELS} levels deep`);
}
