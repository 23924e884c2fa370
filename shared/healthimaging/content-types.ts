/** The Content-Type of GetImageFrame by stored transfer syntax (developer guide, "Getting image set pixel data"). */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '1.2.840.10008.1.2.1': 'application/octet-stream',
  '1.2.840.10008.1.2.4.50': 'image/jpeg',
  '1.2.840.10008.1.2.4.91': 'image/j2c',
  '1.2.840.10008.1.2.4.112': 'image/jxl',
  '1.2.840.10008.1.2.4.202': 'image/jph',
  '1.2.840.10008.1.2.4.203': 'image/jphc',
  // The guide's list leaves 4.90 out; its siblings' type is ours.
  '1.2.840.10008.1.2.4.90': 'image/j2c',
};

/** Frames without a recorded syntax are HTJ2K lossless. */
export function contentTypeOfFrame(transferSyntaxUID: string | undefined): string {
  if (!transferSyntaxUID) return 'image/jph';
  const known = CONTENT_TYPES[transferSyntaxUID];
  if (known) return known;
  if (/^1\.2\.840\.10008\.1\.2\.4\.10[01](\.1)?$/.test(transferSyntaxUID)) return 'video/mpeg';
  if (/^1\.2\.840\.10008\.1\.2\.4\.10[2-6](\.1)?$/.test(transferSyntaxUID)) return 'video/mp4';
  // The guide spells the type of H.265 so.
  if (/^1\.2\.840\.10008\.1\.2\.4\.10[78]$/.test(transferSyntaxUID)) return 'video/H256';
  return 'application/octet-stream';
}
