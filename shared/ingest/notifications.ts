/**
 * What people are told about an ingest (design section 6): a headline, the facts, what to do; one line each, so that the
 * rules of the template can put them into an e-mail as they are. Counts, codes and keywords only; nothing of a patient,
 * no keys, no names of uploads. Pure.
 */
import { type Counts, outcomeEntry, type Report } from './report.ts';

export interface Announcement {
  readonly detailType: 'Ingest Finished' | 'Objects Rejected' | 'Variants Kept Apart' | 'Verification Failed';
  readonly headline: string;
  readonly facts: string;
  readonly advice: string;
}

/** Codes that a message names; the report has them all. */
const CODES_NAMED = 5;

const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

/** `{ a: 2, b: 1 }` → entries, the most frequent first. */
const byFrequency = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));

function countsLine({ received, ingested, duplicate, rejected, failed }: Counts): string {
  return `Received ${received}: ${ingested} ingested, ${duplicate} duplicate, ${rejected} rejected, ${failed} failed.`;
}

function framesLine({ expected, verified, provenFromSource }: Report['frames']): string {
  if (expected === 0) return 'No frames.';
  return `${verified} of ${count(expected, 'frame')} proven, ${provenFromSource} equal to the source.`;
}

const HEADLINES: Readonly<Record<Report['outcome'], (counts: Counts, unfinished: number) => string>> = {
  Ingested: ({ ingested, duplicate }) =>
    `All well: ${count(ingested, 'object')} ingested${duplicate > 0 ? `, ${duplicate} already there` : ''}`,
  PartlyIngested: ({ received, ingested, duplicate }) =>
    `Partly ingested: ${ingested + duplicate} of ${count(received, 'object')}`,
  NothingIngested: ({ received }) => `Nothing ingested of ${count(received, 'object')}`,
  Failed: ({ received }, unfinished) =>
    `An ingest did not finish: ${unfinished} of ${count(received, 'object')} wait in the inbox`,
  Coalesced: () => 'Another execution works on this upload',
};

const FINISHED_ADVICE: Readonly<Record<Report['outcome'], string>> = {
  Ingested: 'Nothing.',
  PartlyIngested: 'Another message says what was refused and why. Nothing is lost: refused objects are kept.',
  NothingIngested:
    'Another message says what was refused and why. Nothing is lost: refused objects are kept.',
  Failed:
    'Nothing yet: they are tried again by themselves, a few times with growing pauses. When this message comes again, `isocenter status` shows what needs attention.',
  Coalesced: 'Nothing.',
};

function finished(report: Report): Announcement {
  const { outcome, counts, frames, timings, rejects } = report;
  const apart = outcome === 'Ingested' ? variantsOf(report).length : 0;
  return {
    detailType: 'Ingest Finished',
    headline:
      apart === 0
        ? HEADLINES[outcome](counts, rejects.Unfinished ?? 0)
        : `All ingested, ${count(apart, 'series', 'series')} in several image sets`,
    facts: `${countsLine(counts)} ${framesLine(frames)} ${Math.round(timings.total)} s.`,
    advice: apart === 0 ? FINISHED_ADVICE[outcome] : 'Another message says what differs and how to decide.',
  };
}

/** Series whose image sets are not one: kept apart, only reported, or a merge that failed. */
const variantsOf = ({ merges }: Report): Report['merges'] =>
  merges.filter(({ outcome }) => outcome !== 'merged');

function rejected({ executionId, counts, rejects }: Report): Announcement {
  const codes = byFrequency(rejects);
  const named = codes.slice(0, CODES_NAMED).map(([code, n]) => {
    const says = outcomeEntry(code)?.says;
    return `${n} ${code}${says ? ` (${says})` : ''}`;
  });
  const more = codes.length - named.length;
  const serious = codes.filter(([code]) => !outcomeEntry(code)?.benign);
  const retryable = codes.filter(([code]) => outcomeEntry(code)?.retry).map(([code]) => code);
  const [first] = serious;
  return {
    detailType: 'Objects Rejected',
    headline: `${count(counts.rejected + counts.failed, 'object')} of ${counts.received} not ingested`,
    facts: `${named.join('; ')}${more > 0 ? `; and ${count(more, 'more reason')}` : ''}.`,
    advice: [
      first
        ? `${first[0]}: ${outcomeEntry(first[0])?.advice ?? 'see the report.'}`
        : 'Nothing that anyone would miss.',
      ...(retryable.length > 0
        ? [`Trying again can help for ${retryable.join(', ')}: isocenter retry ${executionId}.`]
        : []),
    ].join(' '),
  };
}

function keptApart(variants: Report['merges']): Announcement {
  const keywords = new Map<string, number>();
  for (const keyword of variants.flatMap((variant) => variant.keywords))
    keywords.set(keyword, (keywords.get(keyword) ?? 0) + 1);
  const named = byFrequency(Object.fromEntries(keywords)).slice(0, CODES_NAMED);
  const differ = named.map(([keyword, n]) => `${keyword} (${count(n, 'series', 'series')})`);
  const failed = variants.filter(({ outcome }) => outcome === 'failed').length;
  const first = variants[0]?.seriesInstanceUID;
  return {
    detailType: 'Variants Kept Apart',
    headline: `${count(variants.length, 'series', 'series')} with several image sets, kept apart`,
    facts: [
      differ.length > 0 ? `They differ in ${differ.join(', ')}.` : 'No normalised element differs.',
      ...(failed > 0 ? [`${count(failed, 'merge')} began and did not end.`] : []),
    ].join(' '),
    advice: `No hurry: all is stored, nothing is mixed. See both sides with \`isocenter resolve ${first} --show\`, then decide: \`--keep-apart\` or \`--merge-into ID\`. The report names every series.`,
  };
}

function unverified({ frames, imageSets }: Report): Announcement {
  const { mismatched, undecodable } = frames;
  const sets = imageSets.filter((set) => set.verified < set.frames);
  const [first] = sets;
  return {
    detailType: 'Verification Failed',
    headline: `${count(mismatched + undecodable, 'frame')} could not be proven`,
    facts: `${count(mismatched, 'frame')} with other pixels than recorded, ${undecodable} that cannot be decoded, in ${count(sets.length, 'image set')}.`,
    advice: `Do not read from them until somebody has looked: they are tagged isocenter:unverified and kept out of merges; nothing is deleted. Keep the sources; prove again with \`isocenter verify DATASTORE${first ? ` --image-set ${first.imageSetId}` : ''}\`.`,
  };
}

/** The messages about one report, the outcome first. */
export function announcementsOf(report: Report): Announcement[] {
  const { counts, frames } = report;
  const variants = variantsOf(report);
  return [
    finished(report),
    ...(counts.rejected + counts.failed > 0 && report.outcome !== 'Failed' ? [rejected(report)] : []),
    ...(variants.length > 0 ? [keptApart(variants)] : []),
    ...(frames.mismatched + frames.undecodable > 0 ? [unverified(report)] : []),
  ];
}
