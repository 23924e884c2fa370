/** HealthImaging as the console asks it: by path, signed, and any answer is handed on. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type MedicalImagingClient, MedicalImagingServiceException } from '@aws-sdk/client-medical-imaging';
import type { Backend } from '../console/backend.ts';
import { type ImagingRequest, signedImaging } from './signed-imaging.ts';

const DICOMWEB = /^\/datastore\/[^/]+\/studies\b/;
/** Operations on image sets have a host of their own, as DICOMweb has (the API model's `hostPrefix`). */
const RUNTIME = /^\/datastore\/[^/]+\/(imageSet\/|searchImageSets\b)/;

const planeOf = (path: string): Pick<ImagingRequest, 'plane'> =>
  DICOMWEB.test(path) ? { plane: 'dicom-' } : RUNTIME.test(path) ? { plane: 'runtime-' } : {};

export function handedOnImaging(client: MedicalImagingClient): Backend['imaging'] {
  const { signedRequest } = signedImaging(client);
  return async (action, path, init) => {
    const request = { action: action.slice('medical-imaging:'.length), path, ...planeOf(path), ...init };
    try {
      return responseOf(await signedRequest(request));
    } catch (error) {
      if (!(error instanceof MedicalImagingServiceException)) throw error;
      // Its text may name what was asked for; the console tells name and status.
      const { httpStatusCode = 500 } = error.$metadata;
      return new Response(null, { status: httpStatusCode, headers: { 'x-amzn-errortype': error.name } });
    }
  };
}

function responseOf(answer: IncomingMessage): Response {
  const headers = Object.entries(answer.headers).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  const body = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
  return new Response(body, { status: answer.statusCode ?? 500, headers });
}
