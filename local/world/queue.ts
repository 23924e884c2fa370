/**
 * A queue as Amazon SQS has it (standard): visibility timeout, receive count, redrive to another queue, retention.
 * Messages are in the world's database before `send` resolves, so they survive the process being killed; what was being
 * handled then is visible again at once. A loss of power may cost the last ones: the sweep makes those good.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { WorldDatabase } from './data-directory.ts';

export interface QueueOptions {
  readonly name: string;
  readonly arn: string;
  readonly visibilitySeconds: number;
  readonly retentionSeconds: number;
  readonly delaySeconds: number;
  /** After so many receives a message goes to `deadLetters` instead. */
  readonly maxReceiveCount?: number;
  readonly now?: () => number;
}

interface Stored {
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  readonly visibleAt: number;
  readonly receiveCount: number;
  readonly firstReceivedAt?: number;
}
interface Message extends Stored {
  readonly messageId: string;
  readonly receiptHandle: string;
}

export interface ReceivedMessage extends Message {
  readonly md5OfBody: string;
}

export interface Queue {
  readonly name: string;
  readonly arn: string;
  send(body: string): Promise<{ messageId: string }>;
  /** At most `max` visible messages, hidden from others for the visibility timeout. */
  receive(max: number): Promise<ReceivedMessage[]>;
  /** Ignored when the message was received again since: the receipt is an old one. */
  remove(message: { messageId: string; receiptHandle: string }): Promise<void>;
  /** Milliseconds until something may be received: 0 now, undefined when the queue is empty. */
  untilVisible(): number | undefined;
  depth(): { visible: number; inFlight: number };
  /** Called after each send. Returns how to stop. */
  onSend(listener: () => void): () => void;
}

/** Opens the queue with what it held. */
export async function openQueue(
  database: WorldDatabase,
  options: QueueOptions,
  deadLetters?: Queue,
): Promise<Queue> {
  const now = options.now ?? Date.now;
  const prefix = `queue/${options.name}/`;
  const messages = new Map<string, Message>();
  const listeners = new Set<() => void>();
  for await (const [key, value] of database.iterator({ gte: prefix, lt: `${prefix}\uffff` })) {
    const stored = value as Stored;
    const messageId = key.slice(prefix.length + 16);
    messages.set(messageId, {
      ...stored,
      messageId,
      receiptHandle: '',
      visibleAt: Math.min(stored.visibleAt, now()),
    });
  }
  // Sent order is key order, so a restart keeps it.
  const keyOf = ({ messageId, sentAt }: Message) =>
    `${prefix}${String(sentAt).padStart(15, '0')}-${messageId}`;
  const keep = async (message: Message) => {
    messages.set(message.messageId, message);
    const { messageId: _id, receiptHandle: _receipt, ...stored } = message;
    await database.put(keyOf(message), stored);
  };
  const forget = async (message: Message) => {
    messages.delete(message.messageId);
    await database.del(keyOf(message));
  };

  async function receiveOne(message: Message): Promise<ReceivedMessage | undefined> {
    if (now() - message.sentAt > options.retentionSeconds * 1000) {
      await forget(message);
      return undefined;
    }
    if (deadLetters && message.receiveCount >= (options.maxReceiveCount ?? Number.POSITIVE_INFINITY)) {
      await deadLetters.send(message.body);
      await forget(message);
      return undefined;
    }
    const received: Message = {
      ...message,
      receiptHandle: randomUUID(),
      visibleAt: now() + options.visibilitySeconds * 1000,
      receiveCount: message.receiveCount + 1,
      firstReceivedAt: message.firstReceivedAt ?? now(),
    };
    await keep(received);
    return { ...received, md5OfBody: createHash('md5').update(message.body).digest('hex') };
  }

  return {
    name: options.name,
    arn: options.arn,
    async send(body) {
      const sentAt = now();
      const message: Message = {
        body,
        sentAt,
        visibleAt: sentAt + options.delaySeconds * 1000,
        receiveCount: 0,
        messageId: randomUUID(),
        receiptHandle: '',
      };
      await keep(message);
      for (const listener of listeners) listener();
      return { messageId: message.messageId };
    },
    async receive(max) {
      const visible: Message[] = [];
      for (const message of messages.values()) {
        if (visible.length >= max) break;
        if (message.visibleAt <= now()) visible.push(message);
      }
      const received = await Promise.all(visible.map(receiveOne));
      return received.filter((message) => message !== undefined);
    },
    async remove({ messageId, receiptHandle }) {
      const message = messages.get(messageId);
      if (message && message.receiptHandle === receiptHandle) await forget(message);
    },
    untilVisible() {
      let soonest: number | undefined;
      for (const { visibleAt } of messages.values()) soonest = Math.min(soonest ?? visibleAt, visibleAt);
      return soonest === undefined ? undefined : Math.max(0, soonest - now());
    },
    depth() {
      const visible = [...messages.values()].filter(({ visibleAt }) => visibleAt <= now()).length;
      return { visible, inFlight: messages.size - visible };
    },
    onSend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
