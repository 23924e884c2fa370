/** Why a frame could not be decoded or encoded. Messages carry sizes and markers only, never pixel or patient values. */
export type CodecErrorCode =
  /** The encoded bytes are damaged, cut short, or contradict themselves. */
  | 'FrameCorrupt'
  /** Well formed as far as we can see, but the size, precision or syntax is beyond our codecs. */
  | 'FrameUnsupported'
  /** The decoded frame would be larger than the bound. */
  | 'FrameTooLarge'
  /** The codestream's own header and the data set disagree (rows, columns, samples). */
  | 'HeaderMismatch'
  /** The codec did not answer within the deadline and was replaced. */
  | 'CodecDeadline'
  /** The codec died (trap, out of memory, exit) and was replaced. */
  | 'CodecCrashed'
  /** What was encoded did not decode to the same pixels. */
  | 'EncodeMismatch'
  /** The caller gave up, or the pool was closed. */
  | 'Cancelled';

/** A typed refusal of one frame; `facts` are numbers and identifiers fit for a report. */
export class CodecError extends Error {
  readonly code: CodecErrorCode;
  readonly facts: Readonly<Record<string, string | number | boolean>>;

  constructor(
    code: CodecErrorCode,
    message: string,
    facts: Readonly<Record<string, string | number | boolean>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CodecError';
    this.code = code;
    this.facts = facts;
  }
}
