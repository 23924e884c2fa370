/** API Gateway's JWT authorizer, for tests: keys by discovery, RS256, issuer, audience and times (developer guide, "JWT authorizers"). */
import { createPublicKey, createVerify, type JsonWebKey } from 'node:crypto';

export type Claims = Readonly<Record<string, unknown>>;

/** Gives the claims of a token that may pass; undefined for any other. */
export function jwtAuthorizer(
  issuer: string,
  audience: readonly string[],
): (token: string) => Promise<Claims | undefined> {
  let keys: Promise<readonly (JsonWebKey & { kid?: string })[]> | undefined;
  return async (token) => {
    keys ??= readKeys(issuer);
    const [head = '', body = '', signature = ''] = token.split('.');
    const header = decode(head);
    const claims = decode(body);
    if (header?.alg !== 'RS256' || claims === undefined) return undefined;
    const key = (await keys).find(({ kid }) => kid === header.kid);
    if (key === undefined) return undefined;
    const isSigned = createVerify('RSA-SHA256')
      .update(`${head}.${body}`)
      .verify(createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64url'));
    return isSigned && isMeant(claims, issuer, audience) && isInTime(claims) ? claims : undefined;
  };
}

async function readKeys(issuer: string) {
  const document = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { jwks_uri } = (await document.json()) as { jwks_uri: string };
  return ((await (await fetch(jwks_uri)).json()) as { keys: (JsonWebKey & { kid?: string })[] }).keys;
}

/** `client_id` is looked at only where there is no `aud`. */
function isMeant(claims: Claims, issuer: string, audience: readonly string[]): boolean {
  const meant = [claims.aud ?? claims.client_id].flat();
  return claims.iss === issuer && meant.some((one) => audience.includes(String(one)));
}

function isInTime({ exp, nbf, iat }: Claims): boolean {
  const now = Date.now() / 1000;
  return Number(exp) > now && (nbf === undefined || Number(nbf) <= now) && Number(iat) <= now + 1;
}

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
