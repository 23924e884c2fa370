/** The SDK's errors as the ObjectStore port's. */
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';

export const statusOf = (error: unknown): number | undefined =>
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;

/** 404 of an object, 412 and 409 are the port's errors; everything else stays the SDK's own. */
export function mapS3Error(error: unknown): unknown {
  const { name } = error as Error;
  const status = statusOf(error);
  if (status === 412 || (status === 409 && name === 'ConditionalRequestConflict')) {
    return new PreconditionFailed('the object is not the one that was seen', { cause: error });
  }
  if (name === 'NoSuchKey' || (status === 404 && name === 'NotFound')) {
    return new NoSuchObject('there is no such object', { cause: error });
  }
  return error;
}

/** The answer, or the port's error. */
export async function mapped<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw mapS3Error(error);
  }
}
