/**
 * `--resume FILE`: NDJSON, a line for each image set that is done. Those proven without a problem, at the same version
 * and with the same sample, are not looked at again; the others are.
 */
import { createReadStream } from 'node:fs';
import { appendFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { VerifiedImageSet } from '../shared/ingest/verify-image-set.ts';
import { CommandFailed, oneLine } from './errors.ts';

/** Which work a line belongs to. */
export interface ResumeScope {
  readonly datastoreId: string;
  readonly percent: number;
  readonly seed: string;
}

export interface DoneLine extends ResumeScope, VerifiedImageSet {
  readonly imageSetId: string;
  readonly versionId: string;
}

/** Lines of earlier runs by image set. A last line that a kill cut short is no line, nor one that tells nothing of `unproven`. */
export async function readDone(file: string, scope: ResumeScope): Promise<Map<string, DoneLine>> {
  const done = new Map<string, DoneLine>();
  if (!(await exists(file))) return done;
  try {
    for await (const text of createInterface({
      input: createReadStream(file),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      const line = parse(text);
      if (line && isSameScope(line, scope)) done.set(line.imageSetId, line);
    }
  } catch (error) {
    throw new CommandFailed(`--resume: ${oneLine(error)}`, { cause: error });
  }
  return done;
}

/** Starts on a line of its own, so that a line that was cut short spoils only itself. */
export async function appendDone(file: string, line: DoneLine): Promise<void> {
  try {
    await appendFile(file, `\n${JSON.stringify(line)}\n`);
  } catch (error) {
    throw new CommandFailed(`--resume: ${oneLine(error)}`, { cause: error });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function parse(text: string): DoneLine | undefined {
  try {
    const line = JSON.parse(text) as Partial<DoneLine> | null;
    return line?.imageSetId !== undefined && line.counts && line.problems && line.unproven
      ? (line as DoneLine)
      : undefined;
  } catch {
    return undefined;
  }
}

const isSameScope = (line: DoneLine, scope: ResumeScope) =>
  line.datastoreId === scope.datastoreId && line.percent === scope.percent && line.seed === scope.seed;
