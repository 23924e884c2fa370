/** The steps of OpenID Connect's authorization code flow with PKCE (RFC 7636). A file of its own: loaded where it is needed. */
import * as oauth from 'oauth4webapi';
import type { SignIn } from '../../shared/console/api.ts';

/** What must come back, kept in this tab while the provider's page is shown. */
export interface Pending {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** A token for the console's server, and whom it names. */
export interface Token {
  readonly idToken: string;
  readonly expiresAtMs: number;
  readonly name: string;
}

export async function begin(
  signIn: SignIn,
  redirectUri: string,
): Promise<{ readonly url: string; readonly pending: Pending }> {
  const pending = {
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    verifier: oauth.generateRandomCodeVerifier(),
  };
  const url = new URL(signIn.authorizationEndpoint);
  const parameters = {
    client_id: signIn.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: signIn.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url: url.href, pending };
}

/** Throws what the provider answered, or that the answer is not for this page. */
export async function finish(
  signIn: SignIn,
  redirectUri: string,
  returned: URL,
  { state, nonce, verifier }: Pending,
): Promise<Token> {
  const server: oauth.AuthorizationServer = {
    issuer: signIn.issuer,
    authorization_endpoint: signIn.authorizationEndpoint,
    token_endpoint: signIn.tokenEndpoint,
  };
  const client: oauth.Client = { client_id: signIn.clientId };
  const isOnThisMachine = new URL(signIn.tokenEndpoint).hostname === '127.0.0.1';
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    oauth.validateAuthResponse(server, client, returned, state),
    redirectUri,
    verifier,
    { [oauth.allowInsecureRequests]: isOnThisMachine },
  );
  const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
  const claims = oauth.getValidatedIdTokenClaims(answer);
  if (answer.id_token === undefined || claims === undefined) throw new Error('the answer has no ID token');
  const name = [claims.name, claims.email, claims.sub].find((value) => typeof value === 'string');
  return { idToken: answer.id_token, expiresAtMs: claims.exp * 1000, name: String(name) };
}
