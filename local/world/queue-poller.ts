/**
 * Lambda's poller for a queue: gathers a batch (size, window), invokes the function, and removes what it handled.
 * What it names in `batchItemFailures`, or a whole batch whose invocation failed, comes again after its visibility.
 */
import type { Queue, ReceivedMessage } from './queue.ts';

export interface PollerOptions {
  readonly queue: Queue;
  readonly region: string;
  readonly batchSize: number;
  readonly windowSeconds: number;
  /** Whether the function answers with `batchItemFailures`. */
  readonly reportsItemFailures: boolean;
  readonly invoke: (event: unknown) => Promise<unknown>;
  readonly onError?: (error: unknown) => void;
}

/** Polls until `stop`, which waits for the batch under way. */
export function startPoller(options: PollerOptions): { stop(): Promise<void> } {
  const { queue } = options;
  let stopped = false;
  let wake = () => {};
  const stopListening = queue.onSend(() => wake());
  /** At most so long asleep: the clock of the queue may be another one (tests) than that of timers. */
  const LONGEST_SLEEP_MS = 1000;
  const sleep = (milliseconds: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function gather(): Promise<ReceivedMessage[]> {
    const batch = await queue.receive(options.batchSize);
    if (batch.length === 0) return batch;
    const until = performance.now() + options.windowSeconds * 1000;
    while (!stopped && batch.length < options.batchSize && performance.now() < until) {
      await sleep(Math.max(1, until - performance.now()));
      batch.push(...(await queue.receive(options.batchSize - batch.length)));
    }
    return batch;
  }

  async function handle(batch: readonly ReceivedMessage[]): Promise<void> {
    const answer = await options.invoke({ Records: batch.map((message) => toRecord(message, options)) });
    const failed = options.reportsItemFailures ? failedItems(answer, batch) : new Set<string>();
    await Promise.all(batch.filter(({ messageId }) => !failed.has(messageId)).map((m) => queue.remove(m)));
  }

  async function poll(): Promise<void> {
    while (!stopped) {
      const batch = await gather();
      if (batch.length > 0) await handle(batch).catch((error: unknown) => options.onError?.(error));
      else await sleep(Math.min(queue.untilVisible() ?? LONGEST_SLEEP_MS, LONGEST_SLEEP_MS) || 1);
    }
  }
  const polling = poll();
  return {
    async stop() {
      stopped = true;
      stopListening();
      wake();
      await polling;
    },
  };
}

/** An answer that Lambda cannot read, or that names an unknown message, fails the whole batch, as it does there. */
function failedItems(answer: unknown, batch: readonly ReceivedMessage[]): ReadonlySet<string> {
  const all = new Set(batch.map(({ messageId }) => messageId));
  const listed = (answer as { batchItemFailures?: unknown } | null)?.batchItemFailures ?? [];
  if (!Array.isArray(listed)) return all;
  const failed = listed.map((item) => (item as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  return failed.every((id) => typeof id === 'string' && all.has(id)) ? new Set(failed as string[]) : all;
}

function toRecord(message: ReceivedMessage, { queue, region }: PollerOptions) {
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentAt),
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? message.sentAt),
      SenderId: 'events.amazonaws.com',
    },
    messageAttributes: {},
    md5OfBody: message.md5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion: region,
  };
}
