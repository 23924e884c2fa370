/**
 * What the import will say of frames that cannot be told apart: today's service keeps such an object whole with a warning,
 * that of 2024 refused it (reference section 5). Only what the head shows: pixels are not decoded, so damage inside of a
 * frame (B100) comes to light in the import.
 */
import type { Profile } from '../dicom/constraints.ts';
import { DicomError, type DicomWarning } from '../dicom/dicom-error.ts';
import type { P10 } from '../dicom/p10.ts';
import { transferSyntax } from '../dicom/transfer-syntaxes.ts';
import { CodecError } from '../pixels/errors.ts';
import { frameProblem } from '../pixels/frame-problems.ts';
import { openFrames } from '../pixels/frames.ts';
import type { RejectCode } from './outcomes.ts';

export interface Prediction {
  readonly problem?: { readonly code: RejectCode; readonly message: string };
  readonly warning?: DicomWarning;
}

/** Of an instance that is sound otherwise. Reads the starts of fragments at most, and only of pixel data that was walked. */
export async function predictFrames(p10: P10, profile: Profile): Promise<Prediction> {
  const { pixelData } = p10;
  const treatment = transferSyntax(p10.meta.transferSyntaxUID)?.[profile];
  if (!pixelData || treatment === undefined || treatment === 'blob' || treatment === 'refuse') return {};
  if (pixelData.encapsulated && !pixelData.fragments) return {};
  try {
    await openFrames(p10);
    return {};
  } catch (error) {
    if (!(error instanceof DicomError) || error.code === 'InspectionTimeout') throw error;
    // A bound of ours says nothing about the service.
    if (error.cause instanceof CodecError && error.cause.code === 'FrameTooLarge') return {};
    const { code, type, message } = frameProblem(error);
    if (profile === 'current')
      return { warning: { code, message: `${type}: ${message} (${error.message})` } };
    const reject = error.code === 'PixelDataTruncated' ? 'PixelDataTruncated' : 'UnsupportedPixelData';
    return { problem: { code: reject, message: error.message } };
  }
}
