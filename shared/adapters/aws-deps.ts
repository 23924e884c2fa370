/** What every function works with on AWS, made once for each execution environment; the environment is checked here. */
import type { PipelineDeps } from '../ingest/pipeline-deps.ts';
import { parseSettings } from '../ingest/settings.ts';
import { systemClock } from '../ports/clock.ts';
import type { ImageSetEditor, ImageSetLister, ImagingService } from '../ports/imaging-service.ts';
import { imagingClient, s3Client, stepFunctionsClient } from './clients.ts';
import { healthImagingService } from './healthimaging-service.ts';
import { imageSetEditor } from './image-set-editor.ts';
import { s3ObjectStore } from './s3-object-store.ts';
import { stepFunctionsExecutions } from './step-functions-executions.ts';

/** Throws when the environment is not as it must be: the names, the wanted and the got. */
export function awsDeps(): PipelineDeps & {
  readonly imaging: ImagingService & ImageSetEditor & ImageSetLister;
} {
  const settings = parseSettings(process.env);
  const imaging = imagingClient();
  return {
    settings,
    clock: systemClock,
    objects: s3ObjectStore(s3Client()),
    imaging: {
      ...healthImagingService(imaging, settings),
      ...imageSetEditor(imaging, settings.datastoreId),
    },
    executions: stepFunctionsExecutions(stepFunctionsClient(), settings.ingestStateMachineArn),
  };
}
