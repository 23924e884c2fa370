/** Topics as Amazon SNS has them: a message goes to every subscription; here also to a file that the console reads. */
import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';

export interface Subscription {
  readonly topicArn: string;
  readonly protocol: string;
  readonly endpoint: string;
}

export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly timestamp: string;
  readonly subject?: string;
  readonly message: string;
}

export interface TopicsOptions {
  readonly topicArns: readonly string[];
  readonly subscriptions: readonly Subscription[];
  /** Gets one JSON line for each message. */
  readonly file: string;
  readonly log: (line: string) => void;
  /** Delivers to a queue or a function of the template. */
  readonly deliver: (arn: string, body: string) => Promise<void>;
}

export interface Topics {
  publish(request: { TopicArn: string; Message: string; Subject?: string }): Promise<{ MessageId: string }>;
}

/** E-mail has nowhere to go from here: such a message is shown and kept like every other. */
export function startTopics(options: TopicsOptions): Topics {
  const deliverTo = async ({ protocol, endpoint }: Subscription, notification: Notification) => {
    const body = JSON.stringify({
      Type: 'Notification',
      MessageId: notification.messageId,
      TopicArn: notification.topicArn,
      Subject: notification.subject,
      Message: notification.message,
      Timestamp: notification.timestamp,
    });
    if (protocol === 'http' || protocol === 'https') await post(endpoint, body);
    else if (protocol === 'sqs' || protocol === 'lambda') await options.deliver(endpoint, body);
  };
  return {
    async publish({ TopicArn, Message, Subject }) {
      if (!options.topicArns.includes(TopicArn)) throw new Error(`NotFound: no topic ${TopicArn}`);
      const notification: Notification = {
        messageId: randomUUID(),
        topicArn: TopicArn,
        timestamp: new Date().toISOString(),
        ...(Subject === undefined ? {} : { subject: Subject }),
        message: Message,
      };
      options.log(`notification: ${Subject ?? firstLine(Message)}`);
      await appendFile(options.file, `${JSON.stringify(notification)}\n`);
      const wanted = options.subscriptions.filter(({ topicArn }) => topicArn === TopicArn);
      for (const subscription of wanted)
        deliverTo(subscription, notification).catch((error: unknown) =>
          options.log(`notification to ${subscription.endpoint} failed: ${String(error)}`),
        );
      return { MessageId: notification.messageId };
    },
  };
}

/** The first line, without the quotes in which input transformers put each line. */
function firstLine(message: string): string {
  const [line = ''] = message.split('\n', 1);
  return line.replace(/^"(.*)"$/, '$1');
}

async function post(url: string, body: string): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' },
    body,
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
}
