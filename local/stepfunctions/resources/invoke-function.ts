/** lambda:invoke: calls a function and waits for its answer. */
import { type Json, plainJson } from '../json.ts';
import { requestObject, stringIn, type TaskCall } from './call.ts';

export async function invokeFunction({ request, visit, signal }: TaskCall): Promise<Json> {
  const fields = requestObject(request);
  const name = stringIn(fields, 'FunctionName');
  const answer = await visit.engine.services.invokeFunction(name, fields.Payload ?? {}, { signal });
  return { ExecutedVersion: '$LATEST', Payload: plainJson(answer ?? null) ?? null, StatusCode: 200 };
}
