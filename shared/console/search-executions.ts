/** Finished executions by upload, UID, patient or accession number: pages that look at a bounded number of reports. */
import type { Report } from '../ingest/report.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { ExecutionPage, ExecutionQuery, Summary } from './api.ts';
import type { Backend } from './backend.ts';
import { searchImageSets } from './image-sets.ts';
import { makeSummaryReader, readReport, summaryKeyAt, summaryKeys } from './reports.ts';

const PAGE = 50;
/** One answer takes no longer than about this; the page goes on from where it stopped. */
const LOOK_MS = 2_000;
const OUTCOMES = ['ingested', 'duplicate', 'rejected', 'failed'] as const;

export function makeExecutionSearch(backend: Backend): (query: ExecutionQuery) => Promise<ExecutionPage> {
  const readSummary = makeSummaryReader(backend);
  return async (query) => {
    const matches = await makeMatcher(backend, query);
    const since = query.since === undefined ? '' : summaryKeyAt('since', query.since);
    const before = query.next ?? (query.until === undefined ? undefined : summaryKeyAt('until', query.until));
    const executions: Summary[] = [];
    const untilMs = Date.now() + LOOK_MS;
    let looked = 0;
    for await (const key of summaryKeys(backend, new Date(), before)) {
      if (key < since) break;
      const summary = await readSummary(key);
      looked++;
      if (summary !== undefined && (await matches(summary))) executions.push(summary);
      if (executions.length >= PAGE || Date.now() > untilMs) return { executions, looked, next: key };
    }
    return { executions, looked };
  };
}

type Matcher = (summary: Summary) => Promise<boolean>;

async function makeMatcher(backend: Backend, query: ExecutionQuery): Promise<Matcher> {
  const { text, outcome, code } = query;
  const imageSetIds = await imageSetsOfPatient(backend, query);
  return async (summary) => {
    if (outcome === undefined ? summary.outcome === 'Coalesced' : !hasOutcome(summary, outcome)) return false;
    if (text !== undefined && !isUid(text) && !isImageSetId(text)) {
      const lower = text.toLowerCase();
      const named = [summary.upload, summary.executionId].some((name) => name.toLowerCase().includes(lower));
      if (!named) return false;
    }
    const needsReport =
      code !== undefined ||
      imageSetIds !== undefined ||
      (text !== undefined && (isUid(text) || isImageSetId(text)));
    if (!needsReport) return true;
    const report = await readReport(backend, summary.executionId);
    if (report === undefined) return false;
    if (code !== undefined && report.rejects[code] === undefined) return false;
    if (imageSetIds !== undefined && !report.imageSets.some((set) => imageSetIds.has(set.imageSetId)))
      return false;
    return text === undefined || !(isUid(text) || isImageSetId(text)) || holds(backend, report, text);
  };
}

const isUid = (text: string) => /^[0-9]+(\.[0-9]+){2,}$/.test(text);
const isImageSetId = (text: string) => /^[0-9a-z]{32}$/.test(text);

/** An outcome of the execution, or one that at least one of its objects has. */
function hasOutcome({ outcome, counts }: Summary, wanted: string): boolean {
  const ofObjects = OUTCOMES.find((name) => name === wanted);
  return ofObjects === undefined ? outcome === wanted : (counts?.[ofObjects] ?? 0) > 0;
}

async function imageSetsOfPatient(
  backend: Backend,
  { patientId, accessionNumber }: ExecutionQuery,
): Promise<Set<string> | undefined> {
  if (patientId === undefined && accessionNumber === undefined) return undefined;
  const found = new Set<string>();
  let next: string | undefined;
  do {
    const page = await searchImageSets(backend, {
      ...(patientId === undefined ? {} : { patientId }),
      ...(accessionNumber === undefined ? {} : { accessionNumber }),
      ...(next === undefined ? {} : { next }),
    });
    for (const { imageSetId } of page.imageSets) found.add(imageSetId);
    next = page.next;
  } while (next !== undefined && found.size < 5_000);
  return found;
}

async function holds(backend: Backend, report: Report, id: string): Promise<boolean> {
  const inSets = report.imageSets.some(
    (set) => set.studyInstanceUID === id || set.seriesInstanceUID === id || set.imageSetId === id,
  );
  if (inSets) return true;
  const location = { bucket: backend.workBucket, key: workKeys.objects(report.executionId) };
  return holdsText(await backend.deps.objects.stream(location), `"${id}"`);
}

/** Reads no further than the first place; a place across two chunks is found as well. */
async function holdsText(chunks: AsyncIterable<Uint8Array>, text: string): Promise<boolean> {
  let tail: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([tail, chunk]);
    if (bytes.includes(text)) return true;
    tail = bytes.subarray(Math.max(0, bytes.length - text.length));
  }
  return false;
}
