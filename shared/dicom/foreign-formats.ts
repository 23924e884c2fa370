/** What a file is that is no P10 object, by its first bytes: so that a message can say it without quoting the file. */

const FORMATS: readonly { readonly magic: string; readonly name: string }[] = [
  { magic: '504b0304', name: 'a ZIP archive' },
  { magic: '504b0506', name: 'an empty ZIP archive' },
  { magic: '1f8b', name: 'a gzip file' },
  { magic: '377abcaf271c', name: 'a 7-Zip archive' },
  { magic: '526172211a07', name: 'a RAR archive' },
  { magic: '25504446', name: 'a PDF' },
  { magic: 'ffd8ff', name: 'a JPEG image' },
  { magic: '89504e47', name: 'a PNG image' },
  { magic: '47494638', name: 'a GIF image' },
  { magic: '49492a00', name: 'a TIFF image' },
  { magic: '4d4d002a', name: 'a TIFF image' },
  { magic: 'ff4fff51', name: 'a JPEG 2000 codestream' },
  { magic: '0000000c6a502020', name: 'a JPEG 2000 file' },
  { magic: '0000000c4a584c20', name: 'a JPEG XL image' },
  { magic: 'd0cf11e0a1b11ae1', name: 'a Microsoft Office or installer file' },
  { magic: '4d5a', name: 'a Windows program' },
  { magic: '7f454c46', name: 'a Linux program' },
  { magic: '5c01000000000000', name: 'a NIfTI image' },
];

function isPrintable(byte: number): boolean {
  return byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** `head`: some tens of bytes. */
export function foreignFormat(head: Uint8Array): string {
  const hex = Buffer.from(head.subarray(0, 16)).toString('hex');
  const known = FORMATS.find(({ magic }) => hex.startsWith(magic));
  if (known) return known.name;
  return head.length > 0 && head.every(isPrintable) ? 'text' : 'other bytes';
}
