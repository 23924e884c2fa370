/** lambda:invoke.waitForTaskToken: calls a function with a token, and waits until somebody answers with it. */
import { StateError } from '../errors.ts';
import type { Json } from '../json.ts';
import type { TaskAnswer } from '../runtime/task-tokens.ts';
import type { Visit } from '../runtime/visit.ts';
import type { TaskCall } from './call.ts';
import { invokeFunction } from './invoke-function.ts';

export async function invokeAndWait(call: TaskCall): Promise<Json> {
  const { visit, heartbeat } = call;
  const { taskToken } = visit.frame.record;
  if (taskToken === undefined) throw new Error('a task that waits has a token');
  const { tokens } = visit.engine;
  const answered = tokens.wait(taskToken, heartbeat);
  let over = false;
  try {
    const submitted = invokeFunction(call).then((output) => {
      if (!over) tellSubmitted(visit, output);
      return answered;
    });
    // The answer may come before the function has ended: the task is over then.
    return resultOf(await call.cancellation.race(Promise.race([answered, submitted])));
  } finally {
    over = true;
    tokens.close(taskToken);
  }
}

const tellSubmitted = (visit: Visit, output: Json): void =>
  visit.addEvent('TaskSubmitted', () => ({
    taskSubmittedEventDetails: {
      resourceType: 'lambda',
      resource: 'invoke.waitForTaskToken',
      output: JSON.stringify(output),
      outputDetails: { truncated: false },
    },
  }));

function resultOf(answer: TaskAnswer): Json {
  if ('output' in answer) return JSON.parse(answer.output) as Json;
  throw new StateError(answer.error, answer.cause);
}
