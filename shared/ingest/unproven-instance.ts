/** Instances with pixels of which frames cannot be proven: no difference was found, and none could have been. */
import { transferSyntax } from '../dicom/transfer-syntaxes.ts';
import type { InstanceEntry } from '../ports/imaging-service.ts';
import type { FrameCounts } from './verify-lines.ts';

export interface UnprovenInstance {
  readonly imageSetId: string;
  readonly series: string;
  readonly sop: string;
  /** How many of its frames. */
  readonly frames: number;
  readonly why: string;
}

export const sumOfUnproven = (instances: readonly UnprovenInstance[]): number =>
  instances.reduce((sum, { frames }) => sum + frames, 0);

/**
 * Frames that an instance without ImageFrames has pixels for: as it was imported, else as its metadata says; 0 for a
 * report or another instance without an image. Spectroscopy has Rows and Columns too, and no BitsAllocated.
 */
export function framesWithoutEntries({ DICOM }: InstanceEntry, imported: number | undefined): number {
  if (imported !== undefined) return imported;
  const { Rows, Columns, BitsAllocated, NumberOfFrames } = DICOM;
  if (![Rows, Columns, BitsAllocated].every((value) => Number(value) > 0)) return 0;
  const frames = Number(NumberOfFrames ?? 1);
  return Number.isInteger(frames) && frames > 0 ? frames : 1;
}

/** Of frames that were fetched: those with nothing to compare them with. */
export const framesWithoutProof = ({ expected, verified, mismatched, undecodable }: FrameCounts): number =>
  expected - verified - mismatched - undecodable;

export const WHY_WITHOUT_PROOF = 'stored without a checksum, and no source to compare with';

export function whyWithoutEntries({ StoredTransferSyntaxUID }: InstanceEntry): string {
  const why = 'kept as it came, and the metadata lists no frames to fetch';
  if (!StoredTransferSyntaxUID) return why;
  const name = transferSyntax(StoredTransferSyntaxUID)?.name;
  return `${why} (transfer syntax ${StoredTransferSyntaxUID}${name === undefined ? '' : `, ${name}`})`;
}
