/** sns:publish: a Message that is not a string is sent as its JSON text. */
import type { Json } from '../json.ts';
import { requestObject, stringIn, type TaskCall } from './call.ts';

export async function publish({ request, visit }: TaskCall): Promise<Json> {
  const fields = requestObject(request);
  const { Message: message = '', Subject: subject } = fields;
  const { MessageId } = await visit.engine.services.publish({
    TopicArn: stringIn(fields, 'TopicArn'),
    Message: typeof message === 'string' ? message : JSON.stringify(message),
    ...(typeof subject === 'string' && { Subject: subject }),
  });
  return { MessageId };
}
