/**
 * Transfer syntaxes of PS3.6 A-1 that HealthImaging names, with what it does with them: `2024` from the guide of that
 * year, `current` from the guide's "supported transfer syntaxes" page as of 2026 (see docs of behaviour). Others are
 * listed by name only, so that a message can say what an unsupported one is.
 */

/** What the import does: transcodes to the store's format, keeps the frames, keeps all as one blob with a warning, refuses. */
export type Treatment = 'transcode' | 'keep' | 'blob' | 'refuse';

/** The codec family that reads the pixels; `none`: we keep the bytes and never decode them. */
export type Codec = 'native' | 'rle' | 'jpeg' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k' | 'none';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  readonly encapsulated: boolean;
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  readonly deflated: boolean;
  /** The encoded frames reproduce the source exactly; `either`: the codestream says. */
  readonly lossless: boolean | 'either';
  readonly codec: Codec;
  readonly '2024': Treatment;
  readonly current: Treatment;
}

const PREFIX = '1.2.840.10008.1.2';

function native(suffix: string, name: string, flags: Partial<TransferSyntax> = {}): TransferSyntax {
  return {
    uid: PREFIX + suffix,
    name,
    encapsulated: false,
    explicit: true,
    littleEndian: true,
    deflated: false,
    lossless: true,
    codec: 'native',
    '2024': 'transcode',
    current: 'transcode',
    ...flags,
  };
}

function encapsulated(
  suffix: string,
  name: string,
  codec: Codec,
  lossless: boolean | 'either',
  treatments: readonly [in2024: Treatment, current: Treatment],
): TransferSyntax {
  const [in2024, current] = treatments;
  return { ...native(suffix, name), encapsulated: true, codec, lossless, '2024': in2024, current };
}

const BOTH = ['transcode', 'transcode'] as const;
const KEPT_NOW = ['transcode', 'keep'] as const;
const NEW = ['refuse', 'transcode'] as const;
const NEW_KEPT = ['refuse', 'keep'] as const;
const UNKNOWN = ['refuse', 'blob'] as const;

/** Order: as in PS3.6 A-1. The first sixteen that are not refused in `2024` are the guide's table of that year. */
export const TRANSFER_SYNTAXES: readonly TransferSyntax[] = [
  native('', 'Implicit VR Little Endian', { explicit: false }),
  native('.1', 'Explicit VR Little Endian'),
  native('.1.99', 'Deflated Explicit VR Little Endian', { deflated: true }),
  native('.2', 'Explicit VR Big Endian', { littleEndian: false }),
  encapsulated('.4.50', 'JPEG Baseline (Process 1)', 'jpeg', false, KEPT_NOW),
  encapsulated('.4.51', 'JPEG Extended (Process 2 & 4)', 'jpeg', false, BOTH),
  encapsulated('.4.57', 'JPEG Lossless (Process 14)', 'jpeg', true, BOTH),
  encapsulated('.4.70', 'JPEG Lossless (Process 14, Selection Value 1)', 'jpeg', true, BOTH),
  encapsulated('.4.80', 'JPEG-LS Lossless', 'jpeg-ls', true, BOTH),
  encapsulated('.4.81', 'JPEG-LS Near-Lossless', 'jpeg-ls', 'either', BOTH),
  encapsulated('.4.90', 'JPEG 2000 Lossless', 'jpeg-2000', true, BOTH),
  encapsulated('.4.91', 'JPEG 2000', 'jpeg-2000', 'either', KEPT_NOW),
  encapsulated('.4.92', 'JPEG 2000 Part 2 Lossless', 'jpeg-2000', true, NEW),
  encapsulated('.4.93', 'JPEG 2000 Part 2', 'jpeg-2000', 'either', NEW),
  encapsulated('.4.201', 'HTJ2K Lossless', 'htj2k', true, BOTH),
  encapsulated('.4.202', 'HTJ2K Lossless RPCL', 'htj2k', true, BOTH),
  encapsulated('.4.203', 'HTJ2K', 'htj2k', 'either', KEPT_NOW),
  encapsulated('.5', 'RLE Lossless', 'rle', true, BOTH),
  encapsulated('.4.112', 'JPEG XL', 'none', 'either', NEW_KEPT),
  encapsulated('.4.100', 'MPEG2 Main Profile / Main Level', 'none', false, NEW_KEPT),
  encapsulated('.4.100.1', 'Fragmentable MPEG2 Main Profile / Main Level', 'none', false, NEW_KEPT),
  encapsulated('.4.101', 'MPEG2 Main Profile / High Level', 'none', false, NEW_KEPT),
  encapsulated('.4.101.1', 'Fragmentable MPEG2 Main Profile / High Level', 'none', false, NEW_KEPT),
  encapsulated('.4.102', 'MPEG-4 AVC/H.264 High Profile / Level 4.1', 'none', false, NEW_KEPT),
  encapsulated('.4.102.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1', 'none', false, NEW_KEPT),
  encapsulated('.4.103', 'MPEG-4 AVC/H.264 BD-compatible', 'none', false, NEW_KEPT),
  encapsulated('.4.103.1', 'Fragmentable MPEG-4 AVC/H.264 BD-compatible', 'none', false, NEW_KEPT),
  encapsulated('.4.104', 'MPEG-4 AVC/H.264 High Profile / Level 4.2, 2D', 'none', false, NEW_KEPT),
  encapsulated('.4.104.1', 'Fragmentable MPEG-4 AVC/H.264 HP / Level 4.2, 2D', 'none', false, NEW_KEPT),
  encapsulated('.4.105', 'MPEG-4 AVC/H.264 High Profile / Level 4.2, 3D', 'none', false, NEW_KEPT),
  encapsulated('.4.105.1', 'Fragmentable MPEG-4 AVC/H.264 HP / Level 4.2, 3D', 'none', false, NEW_KEPT),
  encapsulated('.4.106', 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', 'none', false, NEW_KEPT),
  encapsulated('.4.106.1', 'Fragmentable MPEG-4 AVC/H.264 Stereo HP / Level 4.2', 'none', false, NEW_KEPT),
  encapsulated('.4.107', 'HEVC/H.265 Main Profile / Level 5.1', 'none', false, NEW_KEPT),
  encapsulated('.4.108', 'HEVC/H.265 Main 10 Profile / Level 5.1', 'none', false, NEW_KEPT),
  encapsulated('.4.52', 'JPEG Extended (Process 3 & 5), retired', 'none', false, UNKNOWN),
  encapsulated(
    '.4.53',
    'JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8), retired',
    'none',
    false,
    UNKNOWN,
  ),
  encapsulated(
    '.4.55',
    'JPEG Full Progression, Non-Hierarchical (Process 10 & 12), retired',
    'none',
    false,
    UNKNOWN,
  ),
  encapsulated('.4.58', 'JPEG Lossless, Non-Hierarchical (Process 15), retired', 'none', true, UNKNOWN),
  encapsulated('.4.94', 'JPIP Referenced', 'none', 'either', UNKNOWN),
  { ...encapsulated('.4.95', 'JPIP Referenced Deflate', 'none', 'either', UNKNOWN), deflated: true },
  encapsulated('.4.110', 'JPEG XL Lossless', 'none', true, UNKNOWN),
  encapsulated('.4.111', 'JPEG XL JPEG Recompression', 'none', false, UNKNOWN),
  encapsulated('.4.204', 'JPIP HTJ2K Referenced', 'none', 'either', UNKNOWN),
  { ...encapsulated('.4.205', 'JPIP HTJ2K Referenced Deflate', 'none', 'either', UNKNOWN), deflated: true },
  encapsulated('.8.1', 'Deflated Image Frame Compression', 'none', true, UNKNOWN),
];

const byUid = new Map(TRANSFER_SYNTAXES.map((syntax) => [syntax.uid, syntax]));

/** The table's line of a UID, or undefined: an unknown one (private, or newer than the table). */
export function transferSyntax(uid: string): TransferSyntax | undefined {
  return byUid.get(uid);
}

/** How a data set of this UID is encoded; an unknown syntax is read as explicit little endian (PS3.5 A.4: all encapsulated ones are). */
export function dataSetEncoding(uid: string): {
  explicit: boolean;
  littleEndian: boolean;
  deflated: boolean;
} {
  return byUid.get(uid) ?? { explicit: true, littleEndian: true, deflated: false };
}

export const IMPLICIT_LITTLE_ENDIAN = PREFIX;
export const EXPLICIT_LITTLE_ENDIAN = `${PREFIX}.1`;
export const EXPLICIT_BIG_ENDIAN = `${PREFIX}.2`;
