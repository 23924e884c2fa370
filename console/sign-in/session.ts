/**
 * How this page talks to its server, and as whom. A server that wants people signed in says where; the token that the
 * provider gives stays in this tab, and goes to the server only.
 */
import { signal } from '@preact/signals';
import type { Session, SignIn } from '../../shared/console/api.ts';
import type * as Oidc from './oidc.ts';

/** Who is signed in, where the server asks for that. */
export const signedInAs = signal<string | undefined>(undefined);
/** Why nobody is signed in: the page shows it and waits to be told. */
export const signInProblem = signal<string | undefined>(undefined);

const TOKEN = 'isocenter-token';
const PENDING = 'isocenter-signing-in';
const AGAIN_MS = 1_000;
const LONGEST_MS = 10_000;
/** A token that is refused so soon after it was given would be refused again. */
const FRESH_MS = 15_000;
/** Asked for anew before it ends, so that no request carries an old one. */
const EARLY_MS = 30_000;

interface KeptToken extends Oidc.Token {
  readonly sinceMs: number;
}
interface KeptPending extends Oidc.Pending {
  readonly hash: string;
}

let reading: Promise<Session> | undefined;
let signingIn: Promise<KeptToken> | undefined;

/** Asked once; a server that starts or is gone is waited for. */
export function session(): Promise<Session> {
  reading ??= readSession();
  return reading;
}

async function readSession(): Promise<Session> {
  for (;;) {
    try {
      const response = await fetch('api/session', { signal: AbortSignal.timeout(LONGEST_MS) });
      if (response.ok) {
        signInProblem.value = undefined;
        return (await response.json()) as Session;
      }
      // The provider does not say where to sign in: the server tells what is wrong there.
      if (response.status === 502)
        signInProblem.value = ((await response.json()) as { message: string }).message;
    } catch {
      // not there yet
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** What a request carries. Waits while somebody signs in. */
export async function authorization(): Promise<Readonly<Record<string, string>>> {
  const { signIn } = await session();
  if (signIn === undefined) return {};
  signingIn ??= tokenFor(signIn);
  let token = await signingIn;
  if (token.expiresAtMs - EARLY_MS < Date.now()) {
    sessionStorage.removeItem(TOKEN);
    signingIn = tokenFor(signIn);
    token = await signingIn;
  }
  return { authorization: `Bearer ${token.idToken}` };
}

/** The server does not take the token: sign in again, unless it was given just now. Does not come back. */
export async function refused(): Promise<never> {
  const kept = readKept<KeptToken>(TOKEN);
  sessionStorage.removeItem(TOKEN);
  const { signIn } = await session();
  if (signIn === undefined || (kept !== undefined && Date.now() - kept.sinceMs < FRESH_MS))
    return stop('The server does not accept whom the provider signed in.');
  return leave(signIn);
}

export function signOut(): void {
  sessionStorage.removeItem(TOKEN);
  void session().then(({ signIn }) => {
    if (signIn?.endSessionEndpoint !== undefined) location.assign(signIn.endSessionEndpoint);
    else void stop('Signed out.');
  });
}

export const signInAgain = (): void => {
  void session().then(({ signIn }) => signIn && leave(signIn));
};

async function tokenFor(signIn: SignIn): Promise<KeptToken> {
  const kept = readKept<KeptToken>(TOKEN);
  if (kept !== undefined && kept.expiresAtMs - EARLY_MS > Date.now()) {
    signedInAs.value = kept.name;
    return kept;
  }
  const returned = new URL(location.href);
  const pending = readKept<KeptPending>(PENDING);
  if (pending === undefined || !returned.searchParams.has('state')) return leave(signIn);
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, '', `${location.pathname}${pending.hash}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
  try {
    const { finish } = await loadOidc();
    const token = { ...(await finish(signIn, redirectUri(), returned, pending)), sinceMs: Date.now() };
    sessionStorage.setItem(TOKEN, JSON.stringify(token));
    signedInAs.value = token.name;
    return token;
  } catch (error) {
    return stop(`Signing in did not work: ${(error as Error).message}`);
  }
}

/** To the provider's page; this one ends. */
async function leave(signIn: SignIn): Promise<never> {
  const { begin } = await loadOidc();
  const { url, pending } = await begin(signIn, redirectUri());
  sessionStorage.setItem(PENDING, JSON.stringify({ ...pending, hash: location.hash }));
  location.assign(url);
  return never();
}

function stop(problem: string): Promise<never> {
  signedInAs.value = undefined;
  signInProblem.value = problem;
  return never();
}

const never = () => new Promise<never>(() => {});
const redirectUri = () => `${location.origin}${location.pathname}`;
const loadOidc = () => import(new URL('oidc.js', document.baseURI).href) as Promise<typeof Oidc>;

function readKept<T>(key: string): T | undefined {
  try {
    return (JSON.parse(sessionStorage.getItem(key) ?? 'null') as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
