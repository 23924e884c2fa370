/** Image sets that the ledger of imports knows and that the data store does not hold. */
import type { ImagingService } from '../ports/imaging-service.ts';
import type { LedgerDeps, SeriesLedger } from './ledger.ts';
import { readJson } from './ndjson.ts';
import type { VerifyProblem } from './verify-image-set.ts';

/** The series that the pipeline knows in this data store, those whose digest `isWanted`; a digest is 64 hex digits. */
export async function* seriesLedgers(
  { objects, settings }: LedgerDeps,
  isWanted: (digest: string) => boolean = () => true,
): AsyncGenerator<SeriesLedger> {
  const folder = `series/${settings.datastoreId}/`;
  for await (const { key } of objects.list(settings.workBucket, folder)) {
    if (!isWanted(key.slice(folder.length))) continue;
    const found = await readJson<SeriesLedger>(objects, settings.workBucket, key);
    if (found) yield found.value;
  }
}

/** `isKnown`: found already. Asks the data store about each other one. */
export async function* missingOf(
  imaging: Pick<ImagingService, 'imageSet'>,
  { seriesInstanceUID, instances }: SeriesLedger,
  isKnown: (imageSetId: string) => boolean = () => false,
): AsyncGenerator<VerifyProblem> {
  for (const imageSetId of new Set(Object.values(instances).map((entry) => entry.imageSetId)))
    if (!isKnown(imageSetId) && !(await imaging.imageSet(imageSetId)))
      yield {
        imageSetId,
        series: seriesInstanceUID,
        code: 'ImageSetMissing',
        message: 'instances were imported into the image set, and the data store does not hold it',
        what: 'image set',
        expected: 'stored',
        got: 'missing',
      };
}
