/**
 * AWS HealthImaging by path, signed by hand: its DICOMweb services are in no SDK, and whoever only hands the service's
 * answers on need not unpack and pack them. Which of the service's three hosts a path belongs to is known here
 * (developer guide, "Endpoints"; the API model's `hostPrefix`).
 */
import { type Signing, signedFetch } from './signed-request.ts';

/** `path` with its query, as the API names it; what goes out and comes back is as `fetch` has it. */
export type ImagingRequest = (path: string, init?: ImagingInit) => Promise<Response>;

export interface ImagingInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal | null;
}

const DICOMWEB = /^\/datastore\/[^/]+\/studies\b/;
/** Operations on image sets have a host of their own. */
const RUNTIME = /^\/datastore\/[^/]+\/(imageSet\/|searchImageSets\b)/;

/** The host of a path: `runtime-medical-imaging.eu-west-1.amazonaws.com`. Pure. */
export function imagingHost(path: string, region: string): string {
  const prefix = DICOMWEB.test(path) ? 'dicom-' : RUNTIME.test(path) ? 'runtime-' : '';
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `${prefix}medical-imaging.${region}.${suffix}`;
}

/** `endpoint`: a compatible server that answers for all three hosts (`http://127.0.0.1:4081`). */
export function signedImaging(signing: Signing, endpoint?: string): ImagingRequest {
  return async (path, init = {}) => {
    const origin = endpoint ?? `https://${imagingHost(path, await signing.region())}`;
    return signedFetch(signing, {
      service: 'medical-imaging',
      url: `${origin.replace(/\/$/, '')}${path}`,
      ...init,
    });
  };
}
