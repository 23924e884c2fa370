/** Refusals of many ingests, by code: the gravest first, what nobody would miss last. Pure. */
import type { RefusingIngest } from '../../shared/console/api.ts';
import { type OutcomeEntry, outcomeEntry } from '../../shared/ingest/report.ts';

export const KINDS = ['rejected', 'failed'] as const;
export type Kind = (typeof KINDS)[number];

export interface RefusalsOfCode {
  readonly code: string;
  readonly kind: Kind;
  readonly entry: OutcomeEntry;
  readonly objects: number;
  /** The newest first. */
  readonly ingests: readonly { readonly ingest: RefusingIngest; readonly objects: number }[];
}

const UNKNOWN: OutcomeEntry = { kind: 'reject', retry: false, benign: false, says: '', advice: '' };

export function byCode(ingests: readonly RefusingIngest[]): RefusalsOfCode[] {
  const codes = new Map<string, RefusalsOfCode['ingests'][number][]>();
  for (const ingest of ingests)
    for (const [code, objects] of Object.entries(ingest.rejects))
      codes.get(code)?.push({ ingest, objects }) ?? codes.set(code, [{ ingest, objects }]);
  return [...codes]
    .map(([code, having]) => {
      const entry = outcomeEntry(code) ?? UNKNOWN;
      const kind: Kind = entry.kind === 'fail' ? 'failed' : 'rejected';
      return { code, kind, entry, objects: sumOf(having), ingests: having };
    })
    .sort((a, b) => Number(a.entry.benign) - Number(b.entry.benign) || b.objects - a.objects);
}

export const sumOf = (some: readonly { readonly objects: number }[]): number =>
  some.reduce((sum, { objects }) => sum + objects, 0);
