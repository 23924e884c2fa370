/**
 * Which pages elsewhere may ask a bucket (S3 user guide, "Elements of a CORS configuration"): the first rule that fits
 * decides. A preflight without one is refused; any other request is answered all the same, only without the headers
 * that would let the page read it.
 */
import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import { S3Error } from './s3-error.ts';

export interface CorsRule {
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
  readonly id?: string;
}

const METHODS = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE'];
const RULES_LIMIT = 100;

/** Throws InvalidRequest, MalformedXML. */
export function checkCorsRules(rules: readonly CorsRule[]): readonly CorsRule[] {
  if (rules.length === 0 || rules.length > RULES_LIMIT) throw new S3Error('MalformedXML');
  for (const { allowedMethods, allowedOrigins, allowedHeaders } of rules) {
    if (allowedMethods.length === 0 || allowedOrigins.length === 0) throw new S3Error('MalformedXML');
    const method = allowedMethods.find((one) => !METHODS.includes(one));
    if (method !== undefined)
      throw new S3Error(
        'InvalidRequest',
        `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
      );
    const pattern = [...allowedOrigins, ...allowedHeaders].find((one) => one.split('*').length > 2);
    if (pattern !== undefined)
      throw new S3Error('InvalidRequest', `"${pattern}" can not have more than one wildcard.`);
  }
  return rules;
}

/** At most one `*`, which stands for anything. */
function fits(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return pattern === text;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

const fitsAny = (patterns: readonly string[], text: string) =>
  patterns.some((pattern) => fits(pattern, text));

interface Asked {
  readonly origin: string;
  readonly method: string;
  /** Lower case; only a preflight names them. */
  readonly headers: readonly string[];
}

const ruleFor = (rules: readonly CorsRule[], { origin, method, headers }: Asked) =>
  rules.find(
    (rule) =>
      fitsAny(rule.allowedOrigins, origin) &&
      rule.allowedMethods.includes(method) &&
      headers.every((header) =>
        fitsAny(
          rule.allowedHeaders.map((one) => one.toLowerCase()),
          header,
        ),
      ),
  );

function headersOf(rule: CorsRule, { origin, headers }: Asked): Record<string, string> {
  const isForAll = rule.allowedOrigins.includes('*');
  return {
    'access-control-allow-origin': isForAll ? '*' : origin,
    'access-control-allow-methods': rule.allowedMethods.join(', '),
    ...(headers.length === 0 ? {} : { 'access-control-allow-headers': headers.join(', ') }),
    ...(rule.exposeHeaders.length === 0
      ? {}
      : { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }),
    ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    ...(isForAll ? {} : { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** What is added to the answer of a plain request; nothing where it has no origin or no rule fits. Pure. */
export function corsHeaders(
  rules: readonly CorsRule[],
  { method = '', headers }: Pick<IncomingMessage, 'method' | 'headers'>,
): Record<string, string> {
  const asked = { origin: headers.origin ?? '', method, headers: [] };
  const rule = asked.origin === '' ? undefined : ruleFor(rules, asked);
  return rule === undefined ? {} : headersOf(rule, asked);
}

/** The answer to OPTIONS. Throws BadRequest, AccessForbidden. */
export function answerPreflight(
  rules: readonly CorsRule[],
  { headers }: Pick<IncomingMessage, 'headers'>,
): Answer {
  const {
    origin,
    'access-control-request-method': method,
    'access-control-request-headers': names,
  } = headers;
  if (origin === undefined)
    throw new S3Error('BadRequest', 'Insufficient information. Origin request header needed.');
  if (method === undefined || !METHODS.includes(method))
    throw new S3Error('BadRequest', `Invalid Access-Control-Request-Method: ${method ?? 'null'}`);
  if (rules.length === 0)
    throw new S3Error('AccessForbidden', 'CORSResponse: CORS is not enabled for this bucket.');
  const asked = {
    origin,
    method,
    headers: (names ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  };
  const rule = ruleFor(rules, asked);
  if (rule === undefined)
    throw new S3Error(
      'AccessForbidden',
      "CORSResponse: This CORS request is not allowed. The Origin, the request method or the request headers are not in the bucket's CORS configuration.",
    );
  return { headers: headersOf(rule, asked) };
}
