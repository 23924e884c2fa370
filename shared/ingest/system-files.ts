/** Files that operating systems and CD viewers leave among images: known by their name and by their content. */

interface SystemFileKind {
  readonly name: RegExp;
  /** First bytes, hex; undefined: text is enough. */
  readonly magic?: string;
  readonly what: string;
}

const OLE = 'd0cf11e0a1b11ae1';

/** Both must hold, so that nothing real is dropped for its name. */
export const SYSTEM_FILES: readonly SystemFileKind[] = [
  { name: /^\.DS_Store$/i, magic: '0000000142756431', what: 'macOS folder settings' },
  { name: /^\._/, magic: '00051607', what: 'macOS resource fork' },
  { name: /^(eh)?thumbs(_vista)?\.db$/i, magic: OLE, what: 'Windows thumbnails' },
  { name: /^desktop\.ini$/i, what: 'Windows folder settings' },
  { name: /^autorun\.inf$/i, what: 'start file of a CD' },
  { name: /\.(exe|dll|ocx|sys|com|scr)$/i, magic: '4d5a', what: 'Windows program' },
  { name: /\.msi$/i, magic: OLE, what: 'Windows installer' },
  { name: /\.jar$/i, magic: '504b0304', what: 'Java program' },
  { name: /\.(dylib|so|bundle)$/i, magic: 'cffaedfe', what: 'macOS program' },
  { name: /\.so(\.\d+)*$/i, magic: '7f454c46', what: 'Linux program' },
  { name: /\.(ico|icl)$/i, magic: '00000100', what: 'icon of a program' },
  { name: /\.lnk$/i, magic: '4c00000001140200', what: 'Windows shortcut' },
  { name: /\.(bat|cmd)$/i, what: 'Windows script' },
];

/** UTF-8, Latin-1 or UTF-16 text: no NUL but those of UTF-16 after its mark. */
function isText(head: Uint8Array): boolean {
  const isUtf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  return isUtf16 || !head.includes(0);
}

/** What the file is, when its key's last part and its first bytes both say so. `head`: at least 16 bytes where there are. */
export function systemFileKind(key: string, head: Uint8Array): string | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const hex = Buffer.from(head.subarray(0, 16)).toString('hex');
  return SYSTEM_FILES.find(
    (kind) => kind.name.test(name) && (kind.magic === undefined ? isText(head) : hex.startsWith(kind.magic)),
  )?.what;
}
