/** What was chosen, before anything of it is sent. */

/**
 * Why nothing of it is sent, if so. As on the command line: of two files with one path one would take the other's place.
 * Pure.
 */
export function refusalOf(chosen: {
  readonly files: readonly { readonly path: string }[];
  readonly unread: readonly string[];
}): string | undefined {
  if (chosen.files.length + chosen.unread.length === 0) return 'There is no file in it: nothing was sent.';
  const seen = new Set<string>();
  for (const { path } of chosen.files) {
    if (seen.has(path)) return `Two of the files would be ${path}: nothing was sent. Send them one by one.`;
    seen.add(path);
  }
  return undefined;
}
