/** Outcomes and states in a word and a colour; the word alone is enough. */
import { words } from '../format.ts';

const TONES: Readonly<Record<string, string>> = {
  Ingested: 'good',
  ingested: 'good',
  SUCCEEDED: 'good',
  COMPLETED: 'good',
  ACTIVE: 'good',
  merged: 'good',
  PartlyIngested: 'warn',
  NothingIngested: 'warn',
  rejected: 'warn',
  keptApart: 'warn',
  reported: 'warn',
  ABORTED: 'warn',
  Failed: 'bad',
  failed: 'bad',
  FAILED: 'bad',
  TIMED_OUT: 'bad',
  RUNNING: 'busy',
  IN_PROGRESS: 'busy',
  SUBMITTED: 'busy',
};

export function Badge({ of: name, text }: { readonly of: string; readonly text?: string }) {
  return <span class={`badge ${TONES[name] ?? 'plain'}`}>{text ?? words(name)}</span>;
}
