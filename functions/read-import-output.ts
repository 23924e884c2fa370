/** State ReadImportOutput: what became of each object of a batch; writes the ledgers. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ImagingDeps } from '../shared/ingest/pipeline-deps.ts';
import { readImportOutput } from '../shared/ingest/read-import-output.ts';

export const makeHandler = (deps: ImagingDeps) =>
  handle(SHAPES.output, async (event) => {
    await readImportOutput(deps, event);
    return {};
  });

export const handler = makeHandler(withImaging(awsDeps()));
