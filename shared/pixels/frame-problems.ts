/** Pixel data whose frames cannot be told apart, in the terms of the service's warnings (guide, warning codes). Pure. */
import type { DicomError } from '../dicom/dicom-error.ts';

export interface FrameProblem {
  readonly type: 'FRAME_NUMBER_MISMATCH' | 'FRAMES_EXTRACTION_FAILURE';
  /** Hexadecimal, as the guide names it. */
  readonly code: 'B111' | 'B110';
  readonly message: string;
}

/** What `openFrames` threw, as the warning with which today's service keeps the object whole. */
export function frameProblem(error: DicomError): FrameProblem {
  const { wanted, got } = error.facts;
  if (wanted !== undefined && got !== undefined && error.message.includes('frames'))
    return {
      type: 'FRAME_NUMBER_MISMATCH',
      code: 'B111',
      message: `Pixel data holds ${got} frames where ${wanted} are declared`,
    };
  return {
    type: 'FRAMES_EXTRACTION_FAILURE',
    code: 'B110',
    message: `The frames could not be extracted: ${error.code}`,
  };
}
