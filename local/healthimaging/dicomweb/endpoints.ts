/** The DICOMweb plane (guide, "Using DICOMweb with HealthImaging"): a table of paths; names are the IAM actions. */

import type { CallContext, Endpoint } from '../endpoints.ts';
import { validation } from '../errors.ts';
import { MAX_BODY_BYTES } from '../http.ts';
import type { Reply } from '../output.ts';
import type { Service } from '../service.ts';
import { getDicomInstance } from './get-dicom-instance.ts';

interface DicomwebRoute {
  readonly operation: string;
  readonly method: string;
  /** Segments after `/datastore/{datastoreId}/`; `{name}` is a label. */
  readonly path: string;
  readonly run: (service: Service, input: never, call: CallContext) => Promise<Reply>;
}

const ROUTES: readonly DicomwebRoute[] = [
  {
    operation: 'GetDICOMInstance',
    method: 'GET',
    path: 'studies/{studyInstanceUID}/series/{seriesInstanceUID}/instances/{sopInstanceUID}',
    run: getDicomInstance,
  },
];

/** What every request of this plane carries beside its labels. */
export interface DicomwebInput {
  readonly datastoreId: string;
  readonly imageSetId?: string;
  readonly accept: string;
}

/** The endpoint of a path, or undefined when it is none of DICOMweb. Throws ValidationException for a bad label. */
export function dicomwebEndpoint(method: string, rawPath: string): Endpoint | undefined {
  const [, root, datastoreId = '', ...segments] = rawPath.split('/');
  if (root !== 'datastore') return undefined;
  for (const route of ROUTES) {
    const labels = route.method === method ? match(route.path.split('/'), segments) : undefined;
    if (!labels) continue;
    return {
      operation: route.operation,
      maxBodyBytes: MAX_BODY_BYTES,
      parse({ query, headers }) {
        const imageSetId = query.get('imageSetId');
        checkIds(datastoreId, imageSetId, labels);
        const accept = headers.accept ?? '*/*';
        return { ...labels, datastoreId, accept, ...(imageSetId !== null && { imageSetId }) };
      },
      run: async (service, input, call) => ({ reply: await route.run(service, input as never, call) }),
    };
  }
  return undefined;
}

function match(wanted: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (wanted.length !== given.length) return undefined;
  const labels: Record<string, string> = {};
  for (const [i, part] of wanted.entries()) {
    const value = given[i] ?? '';
    if (!part.startsWith('{')) {
      if (part !== value) return undefined;
    } else labels[part.slice(1, -1)] = value;
  }
  return labels;
}

function checkIds(
  datastoreId: string,
  imageSetId: string | null,
  labels: Readonly<Record<string, string>>,
): void {
  const isId = (value: string) => /^[0-9a-z]{32}$/.test(value);
  if (!isId(datastoreId)) throw validation("Value at 'datastoreId' must be 32 digits and lower-case letters");
  if (imageSetId !== null && !isId(imageSetId)) {
    throw validation("Value at 'imageSetId' must be 32 digits and lower-case letters");
  }
  for (const [name, value] of Object.entries(labels)) {
    if (!/^[0-9.]{1,256}$/.test(value)) throw validation(`Value at '${name}' must be a UID`);
  }
}
