/** What every function works with on AWS, made once for each execution environment; the environment is checked here. */
import type { PipelineDeps } from '../ingest/pipeline-deps.ts';
import { parseSettings } from '../ingest/settings.ts';
import { systemClock } from '../ports/clock.ts';
import { imagingClient, s3Client, stepFunctionsClient } from './clients.ts';
import { healthImagingService } from './healthimaging-service.ts';
import { s3ObjectStore } from './s3-object-store.ts';
import { stepFunctionsExecutions } from './step-functions-executions.ts';

/** Throws when the environment is not as it must be: the names, the wanted and the got. */
export function awsDeps(): PipelineDeps {
  const settings = parseSettings(process.env);
  return {
    settings,
    clock: systemClock,
    objects: s3ObjectStore(s3Client()),
    imaging: healthImagingService(imagingClient(), settings),
    executions: stepFunctionsExecutions(stepFunctionsClient(), settings.ingestStateMachineArn),
  };
}
