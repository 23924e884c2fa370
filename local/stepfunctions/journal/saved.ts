/** What an earlier process, or an earlier run, left of an execution: its frames and how long its history is. */
import type { Journal } from './journal.ts';
import { eventPrefix, type FrameRecord, framePrefix, numberIn } from './records.ts';

export interface Saved {
  /** By path; the root's is empty. */
  readonly frames: ReadonlyMap<string, FrameRecord>;
  /** Events in the history. */
  readonly events: number;
}

export async function readSaved(journal: Journal, arn: string): Promise<Saved> {
  const prefix = framePrefix(arn);
  const frames = new Map<string, FrameRecord>();
  for await (const [key, frame] of journal.range<FrameRecord>(prefix)) {
    frames.set(key.slice(prefix.length), frame);
  }
  // The root's key is the prefix itself, which a range leaves out.
  const root = await journal.get<FrameRecord>(prefix);
  if (root) frames.set('', root);
  const [last] = await journal.keys(eventPrefix(arn), { reverse: true, limit: 1 });
  return { frames, events: last === undefined ? 0 : numberIn(last) };
}
