/**
 * What an OpenID Connect issuer says about itself (OpenID Connect Discovery 1.0, sections 3 and 4): where people sign in
 * and where a page changes its code for tokens. Nothing of it is trusted further than a browser would: addresses are
 * HTTPS ones, or the issuer's own.
 */

export interface OpenIdProvider {
  /** As it calls itself, and as tokens will name it. */
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly endSessionEndpoint?: string;
  /** What the page should ask for: who it is, and an address to record with decisions where the issuer gives one. */
  readonly scope: string;
}

/** The issuer cannot be asked, or its document is none; the message is for whoever set the console up. */
export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
}

export interface DiscoveryOptions {
  readonly deadlineMs?: number;
  readonly fetch?: typeof fetch;
  readonly now?: () => number;
}

const DEADLINE_MS = 5_000;
const MAX_BYTES = 256 * 1024;
/** Documents change when somebody moves an endpoint; one that cannot be asked for anew is used for longer. */
const FRESH_MS = 3_600_000;
/** An issuer that does not answer is not asked with every request. */
const PAUSE_MS = 5_000;

/** Asked at the first call, kept for an hour; many callers ask once. The function throws DiscoveryError. */
export function openIdProvider(
  issuer: string,
  options: DiscoveryOptions = {},
): () => Promise<OpenIdProvider> {
  const { now = Date.now } = options;
  let known: { readonly provider: OpenIdProvider; readonly at: number } | undefined;
  let failed: { readonly error: unknown; readonly at: number } | undefined;
  let asking: Promise<OpenIdProvider> | undefined;
  const ask = async () => {
    try {
      const provider = await discover(issuer, options);
      known = { provider, at: now() };
      failed = undefined;
      return provider;
    } catch (error) {
      failed = { error, at: now() };
      if (known !== undefined) return known.provider;
      throw error;
    } finally {
      asking = undefined;
    }
  };
  return async () => {
    if (known !== undefined && now() - known.at < FRESH_MS) return known.provider;
    if (failed !== undefined && now() - failed.at < PAUSE_MS) {
      if (known === undefined) throw failed.error;
      return known.provider;
    }
    asking ??= ask();
    return asking;
  };
}

async function discover(issuer: string, options: DiscoveryOptions): Promise<OpenIdProvider> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const answer = await (options.fetch ?? fetch)(url, {
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS),
    });
    if (!answer.ok) throw new DiscoveryError(`${url}: HTTP ${answer.status}`);
    return parseProvider(JSON.parse(await boundedText(answer, url)), issuer, url);
  } catch (cause) {
    if (cause instanceof DiscoveryError) throw cause;
    throw new DiscoveryError(`${url}: ${(cause as Error).name}`, { cause });
  }
}

async function boundedText(answer: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new DiscoveryError(`${url}: over ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

type Document = Readonly<Record<string, unknown>>;

function parseProvider(value: unknown, issuer: string, url: string): OpenIdProvider {
  if (typeof value !== 'object' || value === null) throw new DiscoveryError(`${url}: not a JSON object`);
  const document = value as Document;
  // Tokens name the issuer as it calls itself, and are refused where that differs in one character.
  if (document.issuer !== issuer)
    throw new DiscoveryError(
      `${url}: expected the issuer ${issuer}, got ${JSON.stringify(document.issuer)?.slice(0, 300)}`,
    );
  const endSession = document.end_session_endpoint;
  return {
    issuer,
    authorizationEndpoint: endpoint(document, 'authorization_endpoint', issuer, url),
    tokenEndpoint: endpoint(document, 'token_endpoint', issuer, url),
    ...(endSession === undefined
      ? {}
      : { endSessionEndpoint: endpoint(document, 'end_session_endpoint', issuer, url) }),
    scope: scopeOf(document),
  };
}

function endpoint(document: Document, name: string, issuer: string, url: string): string {
  const value = document[name];
  const parsed = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (parsed && (parsed.protocol === 'https:' || parsed.origin === new URL(issuer).origin))
    return parsed.href;
  throw new DiscoveryError(`${url}: ${name}: expected an https address`);
}

function scopeOf({ scopes_supported: supported }: Document): string {
  return !Array.isArray(supported) || supported.includes('email') ? 'openid email' : 'openid';
}
