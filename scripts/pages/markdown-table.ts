/** A table in Markdown, its columns padded to one width, as the formatter wants them. */
export function markdownTable(
  headings: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, at) => Math.max(3, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[], filler = ' ') =>
    `| ${widths.map((width, at) => (row[at] ?? '').padEnd(width, filler)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line([], '-'), ...body.map((row) => line(row))].join('\n');
}
