/**
 * What the job output says about a file that did not come in, or came in with a warning: the service's own words
 * where they are known (reference section 5), words of the same pattern elsewhere. No catalogue is published.
 */
export interface Failure {
  readonly exceptionType: 'ValidationException' | 'InternalServerException';
  readonly message: string;
}

/** `warning_reason_code` as the guide prints it, also where its decimal differs from its own hexadecimal. */
export interface Warning {
  readonly warning_reason_code: number;
  readonly type: string;
  readonly message: string;
}

export const WARNINGS = {
  CoercionOfDataElements: 45056,
  ElementsDiscarded: 45062,
  SopClassDataMismatch: 45063,
  TranscodingException: 45312,
  FramesExtractionFailure: 45328,
  FrameNumberMismatch: 45329,
  InvalidOffsetTable: 45330,
  UnsupportedTransferSyntax: 45344,
  InvalidUidFormat: 45570,
  InvalidDicomValueLength: 45571,
  Other: 47513,
} as const;

export function warning(type: keyof typeof WARNINGS, message: string): Warning {
  return { warning_reason_code: WARNINGS[type], type, message };
}

/** A file that the job reports as failed. `fault` says whose: the file's, or ours. */
export class ImportFailure extends Error {
  override readonly name = 'ImportFailure';
  readonly fault: 'customer' | 'server';

  constructor(message: string, fault: 'customer' | 'server' = 'customer', options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

export const missingAttribute = (keyword: string) => `DICOM attribute ${keyword} does not exist`;
/** Seen for files that are no DICOM at all. */
export const NO_ATTRIBUTES = 'DICOM attributes does not exist';

/** Any error of reading one file, as the job output shows it. Never repeats values. */
export function toFailure(error: unknown): Failure & { readonly fault: 'customer' | 'server' } {
  if (error instanceof ImportFailure) {
    const exceptionType = error.fault === 'customer' ? 'ValidationException' : 'InternalServerException';
    return { exceptionType, message: error.message, fault: error.fault };
  }
  return {
    exceptionType: 'InternalServerException',
    message: 'The file could not be processed',
    fault: 'server',
  };
}
