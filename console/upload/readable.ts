/** Bytes of a chosen file, which may be gone or changed by the time they are wanted. */
import { ServerProblem } from '../server.ts';

export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  constructor() {
    super(
      'It cannot be read: it is gone, changed since it was chosen, or not yours to read. Choose it again.',
    );
  }
}

/** Throws UnreadableFile. */
export async function bytesOf(blob: Blob): Promise<ArrayBuffer> {
  try {
    return await blob.arrayBuffer();
  } catch {
    throw new UnreadableFile();
  }
}

/**
 * To a browser a file that it cannot read looks like a line that broke, and waiting would not help: tells the two apart.
 * Throws UnreadableFile, else what was given.
 */
export async function orUnreadable(file: File, error: unknown): Promise<never> {
  if (error instanceof ServerProblem && error.status === 0) await bytesOf(file.slice(0, 1));
  throw error;
}
