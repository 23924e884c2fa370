/**
 * Tasks that wait for a callback (`.waitForTaskToken`): their tokens, and the answers, which are on disk before they are
 * acknowledged. A token is opaque to others; inside it names its execution, so that one of a task that is over is told
 * from one that never was.
 */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { executionKey, KEYS } from '../journal/records.ts';
import { Turns } from './turns.ts';

export type TaskAnswer = { readonly output: string } | { readonly error: string; readonly cause: string };

interface TokenRecord {
  readonly answer?: TaskAnswer;
}

/** A task that waits now. */
interface Waiting {
  answer(answer: TaskAnswer): void;
  heartbeat(): void;
  over: boolean;
}

const idle = (): Waiting => ({ answer: () => {}, heartbeat: () => {}, over: false });
const INNER = /^[^|]+\|[0-9a-f-]{36}$/;

/** What stands inside a token. Throws InvalidToken. */
function innerOf(token: string): string {
  const inner = Buffer.from(token, 'base64url').toString('utf8');
  if (INNER.test(inner)) return inner;
  throw new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");
}

const over = () => new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");

export class TaskTokens {
  readonly #journal: Journal;
  readonly #waiting = new Map<string, Waiting>();
  readonly #turns = new Turns();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** A new token for a task of that execution. */
  issue(executionArn: string): string {
    const inner = `${executionKey(executionArn)}|${randomUUID()}`;
    this.#journal.put(KEYS.taskToken(inner), {} satisfies TokenRecord);
    return Buffer.from(inner).toString('base64url');
  }

  /** The answer, also one that came before this process was there. `onHeartbeat` is called at each heartbeat. */
  async wait(token: string, onHeartbeat: () => void): Promise<TaskAnswer> {
    const answered = new Promise<TaskAnswer>((answer) => {
      this.#waiting.set(token, { answer, heartbeat: onHeartbeat, over: false });
    });
    const saved = await this.#journal.get<TokenRecord>(KEYS.taskToken(innerOf(token)));
    return saved?.answer ?? answered;
  }

  /** The task ended: later answers come too late. */
  close(token: string): void {
    const waiting = this.#waiting.get(token) ?? idle();
    waiting.over = true;
    this.#waiting.set(token, waiting);
  }

  /** Its state is left, in the turn in which that is recorded. */
  forget(token: string): void {
    this.#waiting.delete(token);
    this.#journal.remove(KEYS.taskToken(innerOf(token)));
  }

  forgetAllOf(executionArn: string): void {
    const prefix = `${executionKey(executionArn)}|`;
    for (const token of [...this.#waiting.keys()]) if (innerOf(token).startsWith(prefix)) this.forget(token);
  }

  /** On disk when this resolves. Throws InvalidToken, TaskTimedOut when the task is answered or over. */
  async answer(token: string, answer: TaskAnswer): Promise<void> {
    const key = KEYS.taskToken(innerOf(token));
    await this.#turns.take(token, async () => {
      await this.#open(token, key);
      this.#journal.put(key, { answer } satisfies TokenRecord);
      await this.#journal.flushed({ sync: true });
      this.#waiting.get(token)?.answer(answer);
    });
  }

  /** Throws InvalidToken, TaskTimedOut. */
  async heartbeat(token: string): Promise<void> {
    await this.#open(token, KEYS.taskToken(innerOf(token)));
    this.#waiting.get(token)?.heartbeat();
  }

  async #open(token: string, key: string): Promise<void> {
    const before = this.#waiting.get(token);
    const record = await this.#journal.get<TokenRecord>(key);
    const now = this.#waiting.get(token);
    if (!record || record.answer || now?.over || (before && !now)) throw over();
  }
}
