/** awsDeps, and AWS HealthImaging. */
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import type { Settings } from '../ingest/settings.ts';
import type { ImageSetEditor, ImageSetLister, ImagingService } from '../ports/imaging-service.ts';
import { healthImagingService } from './healthimaging-service.ts';
import { imageSetEditor } from './image-set-editor.ts';
import { requestHandler } from './request-handler.ts';

type Imaging = ImagingService & ImageSetEditor & ImageSetLister;

/** Adds to what `deps` has. */
export function withImaging<T extends { readonly settings: Settings }>(
  deps: T,
): T & { readonly imaging: Imaging } {
  const client = imagingClient();
  const { settings } = deps;
  return {
    ...deps,
    imaging: { ...healthImagingService(client, settings), ...imageSetEditor(client, settings.datastoreId) },
  };
}

/** The SDK prepends `runtime-` to any host; AWS_DISABLE_HOST_PREFIX_INJECTION turns that off, as it does for botocore. */
export const imagingClient = (): MedicalImagingClient =>
  new MedicalImagingClient({
    requestHandler: requestHandler(),
    maxAttempts: 8,
    retryMode: 'adaptive',
    disableHostPrefix: process.env.AWS_DISABLE_HOST_PREFIX_INJECTION === 'true',
  });
