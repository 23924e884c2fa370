/** `Accept` as WADO-RS uses it (PS3.18 8.7.5): media types with the transfer syntax as a parameter. */
export interface AcceptedType {
  readonly mediaType: string;
  /** A UID, `*` for the stored one, or undefined: the default of the media type. */
  readonly transferSyntax?: string;
}

/** The types in order of preference. An empty header accepts everything. */
export function parseAccept(header: string): AcceptedType[] {
  const types = splitOutsideQuotes(header, ',').map((entry, i) => {
    const [type = '', ...parameters] = splitOutsideQuotes(entry, ';').map((part) => part.trim());
    const named = new Map(parameters.map(parameter));
    const isRelated = type.toLowerCase() === 'multipart/related' && named.has('type');
    const quality = Number(named.get('q') ?? 1);
    const transferSyntax = named.get('transfer-syntax');
    return {
      mediaType: (isRelated ? (named.get('type') ?? '') : type).toLowerCase() || '*/*',
      ...(transferSyntax && { transferSyntax }),
      order: [Number.isFinite(quality) ? -quality : 0, i] as const,
    };
  });
  types.sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1]);
  return types.map(({ order, ...type }) => type);
}

function parameter(text: string): [string, string] {
  const [name = '', ...value] = text.split('=');
  return [name.trim().toLowerCase(), value.join('=').trim().replace(/^"|"$/g, '')];
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts = [''];
  let isQuoted = false;
  for (const c of text) {
    if (c === '"') isQuoted = !isQuoted;
    if (c === separator && !isQuoted) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts;
}
