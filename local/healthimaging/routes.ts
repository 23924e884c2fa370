/** Routes of the API model: method and path to operation name, with decoded URI labels. Any Host is accepted. */
import { ServiceError, validation } from './errors.ts';
import { operationModels } from './model-data.ts';

interface Route {
  readonly operation: string;
  readonly method: string;
  /** Each segment is a literal or a label's name. */
  readonly segments: readonly { readonly literal?: string; readonly label?: string }[];
}

const ROUTES: readonly Route[] = Object.values(operationModels).map(({ name, http }) => ({
  operation: name,
  method: http.method,
  segments: http.requestUri
    .split('/')
    .slice(1)
    .map((part) => (part.startsWith('{') ? { label: part.slice(1, -1) } : { literal: part })),
}));

/** Finds the operation of a raw (still percent-encoded) path. Throws UnknownOperationException, ValidationException. */
export function routeOf(
  method: string,
  rawPath: string,
): { operation: string; labels: Record<string, string> } {
  const parts = segmentsOf(rawPath);
  for (const route of ROUTES) {
    if (route.method !== method || route.segments.length !== parts.length) continue;
    if (!route.segments.every((segment, i) => segment.label || segment.literal === parts[i])) continue;
    const labels: Record<string, string> = {};
    route.segments.forEach((segment, i) => {
      if (segment.label) labels[segment.label] = decodeLabel(parts[i] ?? '', segment.label);
    });
    return { operation: route.operation, labels };
  }
  throw new ServiceError('UnknownOperationException', 'No operation has this method and path');
}

/** An ARN that a client left unescaped after `/tags/` counts as one segment. */
function segmentsOf(rawPath: string): string[] {
  const parts = rawPath.split('/').slice(1);
  if (parts.at(-1) === '' && parts.length > 1) parts.pop();
  return parts[0] === 'tags' && parts.length > 2 ? ['tags', parts.slice(1).join('/')] : parts;
}

function decodeLabel(raw: string, label: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw validation(`The path is not valid percent-encoding at '${label}'`);
  }
}
