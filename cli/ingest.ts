/** `isocenter ingest`: sends files, waits for the execution, tells the outcome. One ingest gives one report. */
import { randomBytes } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, open, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Report } from '../shared/ingest/report.ts';
import { type ConnectOptions, connect, type Deployment, isLocal } from './deployment.ts';
import { refuseLowDisk } from './disk.ts';
import { CommandFailed, EXIT, oneLine, UsageError } from './errors.ts';
import { exitCodeOf } from './exit-code.ts';
import { followUpload } from './follow.ts';
import { onInterruption } from './interruption.ts';
import { bytes, plural, progressLine } from './progress.ts';
import { readObjectLines } from './reports.ts';
import { printSummary } from './summary.ts';
import { printable, type Terminal } from './terminal.ts';
import { copyFromS3, isS3Uri } from './upload/copy-from-s3.ts';
import { holdUpload } from './upload/hold.ts';
import { defaultUploadName, parseUploadName, planUpload } from './upload/plan-upload.ts';
import { sendFiles } from './upload/send-files.ts';

export interface IngestOptions extends ConnectOptions {
  readonly stack?: string;
  readonly upload?: string;
  readonly json?: boolean;
  readonly report?: string;
}

/** The command. Returns its exit code. */
export async function ingest(
  paths: readonly string[],
  options: IngestOptions,
  terminal: Terminal,
): Promise<number> {
  const upload = parseUploadName(
    options.upload ?? defaultUploadName(new Date(), randomBytes(3).toString('hex')),
  );
  const source = sourceOf(paths, upload);
  if (options.report !== undefined) await refuseUnwritable(options.report);
  const deployment = await connect(options, terminal);
  let isSending = true;
  const forget = onInterruption(terminal, () => whatGoesOn(deployment, upload, isSending));
  try {
    const since = new Date();
    const sent = await sendAll(deployment, source, upload, terminal);
    isSending = false;
    return await followSent(deployment, upload, sent, since, options, terminal);
  } finally {
    forget();
    await deployment.close();
  }
}

/** After Ctrl-C: where what was sent is, and who goes on with it. */
export function whatGoesOn(deployment: Deployment, upload: string, isSending: boolean): string {
  const name = printable(upload);
  const what = isSending
    ? `what arrived is ingested as upload ${name}, the rest was not sent`
    : `upload ${name} is ingested without this command`;
  const who =
    isLocal(deployment) && deployment.isTemporary
      ? 'as soon as a world runs again: isocenter up'
      : `by ${deployment.place}`;
  return `${what}, ${who}; isocenter status and isocenter report tell of it`;
}

/** Said before anything is sent, not after everything was done. */
async function refuseUnwritable(file: string): Promise<void> {
  try {
    if (existsSync(file)) await (await open(file, 'r+')).close();
    else await access(dirname(resolve(file)), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UsageError(`--report ${file}: ${oneLine(error).replace(/^.*: /, '')}`);
  }
}

/** What there is to send: files of this machine, planned, or a prefix of a bucket. */
export type Source =
  | { readonly kind: 'files'; readonly plan: ReturnType<typeof planUpload> }
  | { readonly kind: 's3'; readonly uri: string };

export function sourceOf(paths: readonly string[], upload: string): Source {
  const uris = paths.filter(isS3Uri);
  const [uri] = uris;
  if (uri === undefined) return { kind: 'files', plan: planUpload(paths, upload) };
  if (paths.length > 1) throw new UsageError('one s3:// location at a time, and not together with files');
  return { kind: 's3', uri };
}

/** Sends, follows, prints. Returns the exit code; the worst of the reports where there are several. */
export async function ingestInto(
  deployment: Deployment,
  source: Source,
  upload: string,
  options: { readonly json?: boolean; readonly report?: string },
  terminal: Terminal,
): Promise<number> {
  const since = new Date();
  const sent = await sendAll(deployment, source, upload, terminal);
  return followSent(deployment, upload, sent, since, options, terminal);
}

interface SentKeys {
  readonly keys: Set<string>;
  /** Files that are not in the inbox. */
  readonly problems: number;
}

async function sendAll(
  deployment: Deployment,
  source: Source,
  upload: string,
  terminal: Terminal,
): Promise<SentKeys> {
  const sent = await send(deployment, source, upload, terminal);
  if (sent.keys.size > 0) return sent;
  throw new CommandFailed(
    sent.problems > 0 ? 'nothing could be sent' : 'there is nothing to ingest: no regular file was found',
  );
}

async function followSent(
  deployment: Deployment,
  upload: string,
  sent: SentKeys,
  since: Date,
  options: { readonly json?: boolean; readonly report?: string },
  terminal: Terminal,
): Promise<number> {
  const code = await followAndShow(deployment, upload, sent.keys, since, options, terminal);
  return worst([code, sent.problems > 0 ? EXIT.failed : EXIT.ok]);
}

/** Waits for the report of what was sent, prints it, and returns its exit code. */
export async function followAndShow(
  deployment: Deployment,
  upload: string,
  keys: Set<string>,
  since: Date,
  options: { readonly json?: boolean; readonly report?: string },
  terminal: Terminal,
): Promise<number> {
  const { reports } = await followUpload(deployment, upload, keys, since, terminal).catch(
    (error: unknown) => {
      throw isGone(error) ? worldIsGone(deployment, upload, error) : error;
    },
  );
  const last = reports.at(-1);
  if (last === undefined) throw new CommandFailed(`upload ${upload} has no report`);
  for (const earlier of reports.slice(0, -1))
    terminal.say(`part of this upload was taken before: isocenter report ${earlier.executionId}`);
  await show(deployment, last, options, terminal);
  return worst(await Promise.all(reports.map((report) => exitCodeOf(deployment, report))));
}

/** 1 is worse than 2, and 2 worse than 0. */
export function worst(codes: readonly number[]): number {
  return [EXIT.failed, EXIT.refused].find((code) => codes.includes(code)) ?? EXIT.ok;
}

function isGone(error: unknown): boolean {
  const { code } = (error instanceof AggregateError ? error.errors[0] : error) as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
}

function worldIsGone({ place }: Deployment, upload: string, cause: unknown): CommandFailed {
  return new CommandFailed(
    `${place} stopped answering; upload ${upload} is safe there: isocenter up goes on with it, isocenter report tells the outcome`,
    { cause },
  );
}

async function send(
  deployment: Deployment,
  source: Source,
  upload: string,
  terminal: Terminal,
): Promise<SentKeys> {
  const { store, inboxBucket, workBucket } = deployment;
  const hold = await holdUpload(store, workBucket, upload);
  const started = Date.now();
  try {
    if (source.kind === 's3') return await copyFromS3(store, source.uri, inboxBucket, upload, terminal);
    const { files, skipped } = source.plan;
    for (const { path, why, isProblem } of skipped)
      terminal.say(`${isProblem ? 'not sent' : 'skipped'}: ${printable(path)}: ${why}`);
    if (isLocal(deployment)) await refuseLowDisk(deployment.dataDir, files);
    const result = await sendFiles(store, inboxBucket, files, (progress) =>
      terminal.progress(
        `${progressLine('send', progress.files, files.length, (Date.now() - started) / 1000)}  ${bytes(progress.bytes)}`,
      ),
    );
    for (const { path, why } of result.problems) terminal.say(`not sent: ${printable(path)}: ${why}`);
    const lost = new Set(result.problems.map(({ path }) => path));
    const keys = files.filter(({ path }) => !lost.has(path.toString())).map(({ key }) => key);
    terminal.endProgress(`sent ${plural(result.files, 'file')}, ${bytes(result.bytes)}, as upload ${upload}`);
    return {
      keys: new Set(keys),
      problems: result.problems.length + skipped.filter(({ isProblem }) => isProblem).length,
    };
  } catch (error) {
    terminal.endProgress();
    throw error instanceof CommandFailed
      ? error
      : new CommandFailed(
          `sending stopped: ${oneLine(error)}; what arrived will be ingested as upload ${upload}`,
          { cause: error },
        );
  } finally {
    await hold.release().catch(() => undefined); // an old hold is ignored after two minutes
  }
}

async function show(
  deployment: Deployment,
  report: Report,
  options: { readonly json?: boolean; readonly report?: string },
  terminal: Terminal,
): Promise<void> {
  if (options.json) await printJson(deployment, report, terminal);
  else await printSummary(report, readObjectLines(deployment, report), terminal);
  if (options.report !== undefined) await saveReport(deployment, report, options.report);
}

/** report.json with `objects` as the array of its lines: one document on stdout. */
export async function printJson(deployment: Deployment, report: Report, terminal: Terminal): Promise<void> {
  for await (const line of jsonDocument(deployment, report)) terminal.result(line);
}

async function saveReport(deployment: Deployment, report: Report, file: string): Promise<void> {
  try {
    const lines: string[] = [];
    for await (const line of jsonDocument(deployment, report)) lines.push(line);
    await writeFile(file, `${lines.join('\n')}\n`);
  } catch (error) {
    throw new CommandFailed(`--report ${file}: ${oneLine(error).replace(/^.*: /, '')}`, { cause: error });
  }
}

/** The document line by line, so that a million objects need no memory. */
async function* jsonDocument(deployment: Deployment, report: Report): AsyncGenerator<string> {
  const { objects: _, ...rest } = report;
  yield `${JSON.stringify(rest, null, 2).slice(0, -2)},`;
  yield '  "objects": [';
  let held: string | undefined;
  for await (const line of readObjectLines(deployment, report)) {
    if (held !== undefined) yield `    ${held},`;
    held = JSON.stringify(line);
  }
  if (held !== undefined) yield `    ${held}`;
  yield '  ]';
  yield '}';
}
