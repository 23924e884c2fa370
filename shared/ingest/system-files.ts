/**
 * Files that operating systems and CD viewers leave among images: known by their name and by their content. Only what
 * is no P10 object is ever looked up here, so that no image is dropped for its name.
 */

interface SystemFileKind {
  readonly name: RegExp;
  /** First bytes, hex: an ending alone says little. Names that nothing else bears need none. */
  readonly magic?: string;
  readonly what: string;
}

const OLE = 'd0cf11e0a1b11ae1';

export const SYSTEM_FILES: readonly SystemFileKind[] = [
  { name: /^\.DS_Store$/i, what: 'macOS folder settings' },
  { name: /^\._/, magic: '00051607', what: 'macOS resource fork' },
  { name: /^(eh)?thumbs(_vista)?\.db$/i, what: 'Windows thumbnails' },
  { name: /^desktop\.ini$/i, what: 'Windows folder settings' },
  { name: /^autorun\.inf$/i, what: 'start file of a CD' },
  { name: /\.(exe|dll|ocx|sys|com|scr)$/i, magic: '4d5a', what: 'Windows program' },
  { name: /\.msi$/i, magic: OLE, what: 'Windows installer' },
  { name: /\.jar$/i, magic: '504b0304', what: 'Java program' },
  { name: /\.cab$/i, magic: '4d534346', what: 'Windows installer archive' },
  { name: /\.chm$/i, magic: '49545346', what: 'Windows help' },
  { name: /\.(dylib|so|bundle)$/i, magic: 'cffaedfe', what: 'macOS program' },
  { name: /\.so(\.\d+)*$/i, magic: '7f454c46', what: 'Linux program' },
  { name: /\.(ico|icl)$/i, magic: '00000100', what: 'icon of a program' },
  { name: /\.lnk$/i, magic: '4c00000001140200', what: 'Windows shortcut' },
];

/** What a file that is no P10 object is, by the last part of its key and its first bytes (at least 16, where there are). */
export function systemFileKind(key: string, head: Uint8Array): string | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const hex = Buffer.from(head.subarray(0, 16)).toString('hex');
  return SYSTEM_FILES.find((kind) => kind.name.test(name) && hex.startsWith(kind.magic ?? ''))?.what;
}
