/**
 * Every code that an object, a merge or a step can end with: what it means, what an operator can do, whether trying
 * again can help. docs/outcomes.md is rendered from this table (`node scripts/render-docs.mjs`).
 */

export interface OutcomeEntry {
  /** reject: the input is unfit. fail: our work or a service broke. note: said beside an outcome that is neither. */
  readonly kind: 'reject' | 'fail' | 'note';
  /** The same object, sent again unchanged, may end otherwise. */
  readonly retry: boolean;
  /** Nothing that anyone would miss: does not count against the outcome of an upload. */
  readonly benign: boolean;
  readonly says: string;
  readonly advice: string;
}

export const OUTCOMES = {
  NotP10: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'no DICOM Part 10 object: no DICM marker at byte 128, and no file meta information either',
    advice:
      'If this is an image, export it again as DICOM, or wrap the bare data set with dcmconv; archives (.zip) must be unpacked first.',
  },
  Empty: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the object has no bytes',
    advice: 'Send the file again; a transfer or an export was cut off before it began.',
  },
  TruncatedHeader: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the file ends inside of its data elements',
    advice: 'Send the file again from its source; this copy is cut off.',
  },
  MalformedDataset: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the data elements cannot be followed: a length, an item or a nesting contradicts what holds it',
    advice:
      'Export the object again; if it comes out the same, the vendor of the writing system must see it.',
  },
  NoTransferSyntax: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the file meta information has no TransferSyntaxUID',
    advice: 'Export the object again; dcmconv can write a complete header when the encoding is known.',
  },
  UnsupportedTransferSyntax: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the transfer syntax is none that HealthImaging imports under this constraint profile',
    advice: 'Have the source send it uncompressed, or in JPEG, JPEG-LS, JPEG 2000, RLE or HTJ2K.',
  },
  MissingElement: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'a data element that the import needs is absent or empty',
    advice: 'Correct it at the source; the message names the element.',
  },
  InvalidUid: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'a UID that identifies the study, series or instance cannot be used as one',
    advice: 'The source must send UIDs of digits and dots; anonymisers that write hashes do not.',
  },
  ElementTooLong: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'a value is longer than HealthImaging takes under this constraint profile',
    advice: 'Shorten the value at the source; the message names the element, its length and the limit.',
  },
  CountTooLarge: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'NumberOfStudyRelatedSeries or NumberOfStudyRelatedInstances is above the limit',
    advice: 'Correct the count at the source, or have the source leave the element out.',
  },
  FileTooLarge: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the object is bigger than one import takes',
    advice: 'Have the source split the multi-frame object, or send it compressed.',
  },
  MetadataTooLarge: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the data elements besides the pixels are more than 50 MB, or more than 800,000 in number',
    advice: 'Look for big values outside of the pixel data, or split the multi-frame object.',
  },
  InspectionTimeout: {
    kind: 'reject',
    retry: true,
    benign: false,
    says: 'reading the object took longer than one object is given',
    advice: 'Retry once: the store may have been slow; if it happens again, export the object anew.',
  },
  PixelDataTruncated: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the pixel data ends before all frames are there',
    advice:
      'Send the file again from its source: this copy is cut off, or Rows, Columns or NumberOfFrames are wrong.',
  },
  UnsupportedPixelData: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the pixel data is of a kind that HealthImaging does not import under this constraint profile',
    advice:
      'Binary segmentations come in under the current profile; for 2024, have them written as fractional ones.',
  },
  ImportRejected: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'HealthImaging refused the object during the import; its message follows',
    advice: 'Act on the message of the service; the object waits in the work bucket under rejected/.',
  },
  InstanceConflict: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'an instance with this SOPInstanceUID but other content is stored already, or came twice',
    advice:
      'Find out which is right; `isocenter resolve SERIES --replace SOP --reason TEXT` lets this one take the place of the first.',
  },
  IdentityConflict: {
    kind: 'reject',
    retry: false,
    benign: false,
    says: 'the series or study belongs to another patient identity',
    advice:
      'See with `isocenter resolve SERIES --show`; then `--patient LABEL` when they are one patient, `--keep-apart` when not.',
  },
  DicomDirectory: {
    kind: 'reject',
    retry: false,
    benign: true,
    says: 'a DICOMDIR: the table of contents of a medium, no instance',
    advice: 'Nothing to do: the instances that it lists are imported by themselves.',
  },
  SystemFile: {
    kind: 'reject',
    retry: false,
    benign: true,
    says: 'a file of an operating system or of the viewer on a CD',
    advice: 'Nothing to do.',
  },
  Unaccounted: {
    kind: 'fail',
    retry: true,
    benign: false,
    says: 'the import job ended without a word about this object',
    advice: 'Retry; if it happens again, ask AWS support with the job ID.',
  },
  ChecksumMismatch: {
    kind: 'fail',
    retry: false,
    benign: false,
    says: 'a stored frame does not decode to its checksum, to its source, or to what its metadata says',
    advice:
      'The image set is tagged isocenter:unverified; compare it with the object before anybody relies on it.',
  },
  FrameUndecodable: {
    kind: 'fail',
    retry: false,
    benign: false,
    says: 'a stored frame cannot be decoded',
    advice: 'Open the image set in a viewer; if it shows there, report the frame to us, else to AWS support.',
  },
  JobFailed: {
    kind: 'fail',
    retry: true,
    benign: false,
    says: 'the import job of this batch failed as a whole',
    advice: 'Read the message of the job (role, keys, limits), correct it, then retry.',
  },
  Throttled: {
    kind: 'fail',
    retry: true,
    benign: false,
    says: 'a service went on asking us to slow down until we gave up',
    advice: 'Retry later, or ask for a higher quota.',
  },
  ChangedDuringIngest: {
    kind: 'fail',
    retry: true,
    benign: false,
    says: 'the object was replaced or removed while it was being ingested',
    advice: 'Nothing was imported from it; what lies in the inbox now is taken by the next execution.',
  },
  HandlerCrashed: {
    kind: 'fail',
    retry: true,
    benign: false,
    says: 'our code ended without an answer on this object, also when it was alone',
    advice: 'Retry once; if it crashes again, keep the object and report it to us.',
  },
  Unfinished: {
    kind: 'fail',
    retry: true,
    benign: false,
    says: 'the execution ended before this object was done',
    advice: 'The object is still in the inbox; the next execution takes it.',
  },
  KeptApart: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'ingested into an image set of its own: its series has variants that must not be joined automatically',
    advice:
      'Compare the named keywords, then `isocenter resolve SERIES` with `--merge-into ID` or `--keep-apart`.',
  },
  B100: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored whole, as one blob: HealthImaging could not transcode its pixels',
    advice: 'Get it with GetDICOMInstance and `transfer-syntax=*`; no frame of it can be drawn or proven.',
  },
  B110: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored whole: HealthImaging could not take its frames apart',
    advice:
      'Have the source look at the object: its pixel data does not hold the frames that it declares; GetDICOMInstance gives it back as it came.',
  },
  B111: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored whole: it has another number of frames than NumberOfFrames says',
    advice:
      'Have the source correct NumberOfFrames or the pixel data; GetDICOMInstance gives it back as it came.',
  },
  B112: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored whole: its offset table does not fit its frames',
    advice:
      'Have the source write the encapsulated pixel data again; GetDICOMInstance gives it back as it came.',
  },
  B120: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored whole, as one blob: HealthImaging cannot decode its transfer syntax',
    advice:
      'Where frames are needed, send it uncompressed or in JPEG, JPEG-LS, JPEG 2000, RLE or HTJ2K; GetDICOMInstance with `transfer-syntax=*` gives it back.',
  },
  B201: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored; a UID is not formed as PS3.5 9.1 wants it',
    advice: 'Correct it at the source: other systems may refuse this UID.',
  },
  B202: {
    kind: 'note',
    retry: false,
    benign: false,
    says: 'stored; a value is longer than the standard allows',
    advice: 'Shorten it at the source: HealthImaging may not find the image set by this value.',
  },
} as const satisfies Record<string, OutcomeEntry>;

export type OutcomeCode = keyof typeof OUTCOMES;
type CodeOfKind<Kind extends OutcomeEntry['kind']> = {
  [Code in OutcomeCode]: (typeof OUTCOMES)[Code]['kind'] extends Kind ? Code : never;
}[OutcomeCode];
export type RejectCode = CodeOfKind<'reject'>;
export type FailCode = CodeOfKind<'fail'>;
