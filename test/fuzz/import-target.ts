/**
 * The importer as a fuzzing target: real servers on loopback, one import job a batch. Every file must be in exactly one of
 * SUCCESS and FAILURE, the counts must add up, and none may be an error of the server.
 */
import { gunzipSync } from 'node:zlib';
import { GetImageFrameCommand, GetImageSetMetadataCommand } from '@aws-sdk/client-medical-imaging';
import type { ImageSetDocument } from '../../local/healthimaging/metadata/document.ts';
import { type Imported, startTestWorld, type TestWorld } from '../local/healthimaging/world.ts';
import type { BatchTarget } from './targets.ts';

/** What came in is read back for this many image sets of a batch. */
const READ_BACK = 3;

export async function openImportTarget(): Promise<BatchTarget> {
  const world = await startTestWorld();
  return {
    run: (inputs) => importBatch(world, inputs),
    close: () => world.close(),
  };
}

async function importBatch(
  world: TestWorld,
  inputs: readonly { readonly run: number; readonly bytes: Uint8Array }[],
): Promise<string[]> {
  const datastoreId = await world.createDatastore();
  const files = Object.fromEntries(inputs.map(({ run, bytes }) => [`${run}.dcm`, bytes]));
  const imported = await world.importFiles(datastoreId, files);
  const codes = new Map<number, string>();
  const say = (inputFile: string, code: string) => {
    const run = Number(/(\d+)\.dcm$/.exec(inputFile)?.[1]);
    codes.set(run, codes.has(run) ? '!accounted for twice' : code);
  };
  const warned = new Map(
    imported.warning.map(({ inputFile, importResponse }) => [inputFile, importResponse?.warnings?.[0]?.type]),
  );
  for (const { inputFile } of imported.success) {
    const warning = warned.get(inputFile);
    say(inputFile, warning === undefined ? 'imported' : `imported, ${warning}`);
  }
  for (const { inputFile, exception } of imported.failure) say(inputFile, failureCode(exception));
  const problem = sumProblem(imported, inputs.length) ?? (await readBack(world, datastoreId, imported));
  const answers = inputs.map(({ run }) => codes.get(run) ?? '!not accounted for');
  return problem ? [`!${problem}`, ...answers.slice(1)] : answers;
}

function failureCode(exception: { exceptionType: string; message: string } | undefined): string {
  if (exception?.exceptionType !== 'ValidationException')
    return `!${exception?.exceptionType}: ${exception?.message}`;
  return exception.message.replaceAll(/\d+/g, 'n').slice(0, 60);
}

function sumProblem({ manifest }: Imported, files: number): string | undefined {
  const { jobSummary } = manifest;
  if (jobSummary.numberOfFilesWithServerError > 0)
    return `${jobSummary.numberOfFilesWithServerError} server errors`;
  const sum = jobSummary.numberOfImportedFiles + jobSummary.numberOfFilesWithCustomerError;
  const isWhole = jobSummary.numberOfScannedFiles === files && sum === files;
  return isWhole ? undefined : `scanned ${jobSummary.numberOfScannedFiles} of ${files}, accounted for ${sum}`;
}

/** Metadata and first frames of some image sets: what was accepted can be had. */
async function readBack(
  world: TestWorld,
  datastoreId: string,
  imported: Imported,
): Promise<string | undefined> {
  for (const { imageSetId } of imported.manifest.jobSummary.imageSetsSummary.slice(0, READ_BACK)) {
    const reply = await world.client.send(new GetImageSetMetadataCommand({ datastoreId, imageSetId }));
    const zipped = await reply.imageSetMetadataBlob?.transformToByteArray();
    const document = JSON.parse(gunzipSync(zipped ?? '').toString('utf8')) as ImageSetDocument;
    for (const series of Object.values(document.Study.Series))
      for (const { ImageFrames } of Object.values(series.Instances)) {
        const [frame] = ImageFrames ?? [];
        if (!frame) continue;
        const imageFrameInformation = { imageFrameId: frame.ID };
        const found = await world.client.send(
          new GetImageFrameCommand({ datastoreId, imageSetId, imageFrameInformation }),
        );
        if (!(await found.imageFrameBlob?.transformToByteArray())?.length)
          return `frame ${frame.ID} is empty`;
      }
  }
  return undefined;
}
