/** Task resource → what calls it. */
import type { TaskResource } from '../definition/fields.ts';
import type { Json } from '../json.ts';
import type { TaskCall } from './call.ts';
import { invokeAndWait } from './invoke-and-wait.ts';
import { invokeFunction } from './invoke-function.ts';
import { publish } from './publish.ts';
import { putEvents } from './put-events.ts';
import { startExecution } from './start-execution.ts';

export const RESOURCES: Readonly<Record<TaskResource, (call: TaskCall) => Promise<Json>>> = {
  'arn:aws:states:::lambda:invoke': invokeFunction,
  'arn:aws:states:::lambda:invoke.waitForTaskToken': invokeAndWait,
  'arn:aws:states:::states:startExecution.sync:2': startExecution,
  'arn:aws:states:::events:putEvents': putEvents,
  'arn:aws:states:::sns:publish': publish,
};
