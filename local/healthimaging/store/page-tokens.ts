/** `nextToken`: where a listing goes on, signed, so that a token from elsewhere is told from one of ours. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { validation } from '../errors.ts';
import { type Database, put } from './database.ts';
import { keyOf } from './keys.ts';

export interface PageTokens {
  /** `scope` names the listing and its filters: a token works only where it was handed out. */
  seal(scope: string, position: unknown): string;
  /** Throws ValidationException for anything that `seal` did not make for this scope. */
  open<T>(scope: string, token: string): T;
}

/** The signing key lives in the database: tokens outlive a restart. */
export async function openPageTokens(database: Database): Promise<PageTokens> {
  const key = keyOf('setting', 'pageTokenKey');
  let secret = await database.get<string>(key);
  if (!secret) {
    secret = randomBytes(32).toString('hex');
    await database.write([put(key, secret)], { durable: true });
  }
  const signature = (scope: string, body: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([scope, body]))
      .digest();

  return {
    seal(scope, position) {
      const body = Buffer.from(JSON.stringify(position)).toString('base64url');
      return `${body}.${signature(scope, body).toString('base64url')}`;
    },
    open(scope, token) {
      const [body = '', mac = ''] = token.split('.');
      const given = Buffer.from(mac, 'base64url');
      const wanted = signature(scope, body);
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
        throw validation('nextToken is not valid for this request');
      }
      return JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
    },
  };
}
