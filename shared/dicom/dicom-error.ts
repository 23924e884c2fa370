/** What is wrong with an object, as a typed reject. Codes are those of shared/ingest/outcomes.ts. */

export type DicomErrorCode =
  | 'NotP10'
  | 'Empty'
  | 'TruncatedHeader'
  | 'NoTransferSyntax'
  | 'UnsupportedTransferSyntax'
  | 'MalformedDataset'
  | 'MetadataTooLarge'
  | 'FileTooLarge'
  | 'MissingElement'
  | 'PixelDataTruncated'
  | 'InspectionTimeout';

/** Where the fault lies, what was wanted, what came. Keywords, UIDs, offsets and lengths only: never a value of a patient. */
export class DicomError extends Error {
  override readonly name = 'DicomError';
  readonly code: DicomErrorCode;
  /** A keyword, or a byte offset as `byte 1234`. */
  readonly where: string;
  readonly facts: Readonly<Record<string, string | number>>;

  constructor(
    code: DicomErrorCode,
    where: string,
    problem: string,
    facts: Record<string, string | number> = {},
    options?: ErrorOptions,
  ) {
    super(`${where}: ${problem}`, options);
    this.code = code;
    this.where = where;
    this.facts = facts;
  }
}

/** Something that was read although it is not as the standard wants it. */
export interface DicomWarning {
  readonly code: string;
  readonly message: string;
}
