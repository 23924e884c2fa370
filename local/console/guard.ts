/**
 * Who may ask the console (design section 13): only this machine under its own names (DNS rebinding), and for anything
 * that is not a plain read only the console's own pages (cross-site request forgery).
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Names by which this machine may be asked: a foreign Host header is a page elsewhere that had its name rebound. */
const HOSTS = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** Why the request is refused, or undefined. Pure. */
export function refusal(method: string, headers: IncomingHttpHeaders, path: string): string | undefined {
  const host = headers.host ?? '';
  if (!HOSTS.test(host)) return 'unknown host';
  if (method === 'GET' || method === 'HEAD') {
    // What other pages can start by themselves (images, scripts, frames) gets nothing of the API.
    const site = headers['sec-fetch-site'];
    return path.startsWith('/api/') && site !== undefined && site !== 'same-origin' && site !== 'none'
      ? 'asked by another page'
      : undefined;
  }
  if (headers.origin !== `http://${host}`) return 'a write must come from the console itself';
  return undefined;
}
