/**
 * Who may do what: identities of a credentials file, full or read-only, and optionally bound to tags (ABAC, guide
 * "ABAC with HealthImaging": an image set has to carry the same tag as its data store; searches look at the store only).
 */
import { readFileSync } from 'node:fs';
import { ServiceError } from '../errors.ts';
import { datastoreArn, type Home, imageSetArn, parseArn } from '../identifiers.ts';
import { keyOf } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import { parseSignature, type SignedRequest, verifySignature } from './signature.ts';

export interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly access: 'full' | 'read-only';
  /** Only resources with all of these tags. */
  readonly resourceTags?: Readonly<Record<string, string>>;
  /** Only these studies, by patterns with `*` and `?`: condition keys of the DICOMweb operations, which carry the UIDs. */
  readonly studyInstanceUIDs?: readonly string[];
  readonly seriesInstanceUIDs?: readonly string[];
}

/** `{"identities": [{"accessKeyId", "secretAccessKey", "access": "full"|"read-only", "resourceTags"?}]}`. Throws with the place. */
export function readIdentities(file: string): Identity[] {
  const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const list = (json as { identities?: unknown } | null)?.identities;
  if (!Array.isArray(list) || list.length === 0) {
    throw new Error(`${file}: identities: expected a list of at least one identity`);
  }
  return list.map((identity, i) => parseIdentity(identity, `${file}: identities[${i}]`));
}

function parseIdentity(value: unknown, where: string): Identity {
  const { accessKeyId, secretAccessKey, access, resourceTags } = (value ?? {}) as Partial<Identity>;
  if (typeof accessKeyId !== 'string' || accessKeyId === '')
    throw new Error(`${where}.accessKeyId: expected text`);
  if (typeof secretAccessKey !== 'string' || secretAccessKey === '') {
    throw new Error(`${where}.secretAccessKey: expected text`);
  }
  if (access !== 'full' && access !== 'read-only')
    throw new Error(`${where}.access: expected full or read-only`);
  const isTags = resourceTags === undefined || (typeof resourceTags === 'object' && resourceTags !== null);
  if (!isTags) throw new Error(`${where}.resourceTags: expected an object of tags`);
  return {
    accessKeyId,
    secretAccessKey,
    access,
    ...(resourceTags && { resourceTags }),
    ...patternsOf(value, 'studyInstanceUIDs', where),
    ...patternsOf(value, 'seriesInstanceUIDs', where),
  };
}

function patternsOf(value: unknown, name: 'studyInstanceUIDs' | 'seriesInstanceUIDs', where: string) {
  const patterns: unknown = (value as Identity)[name];
  if (patterns === undefined) return {};
  if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern === 'string')) {
    throw new Error(`${where}.${name}: expected a list of patterns`);
  }
  return { [name]: patterns as string[] };
}

export interface Authenticator {
  /** Whether requests have to be signed. */
  readonly isOn: boolean;
  /** The access key id that the request names. Throws the exceptions of AWS for what is missing or wrong. */
  authenticate(request: SignedRequest): Identity | undefined;
  /** Throws AccessDeniedException. */
  authorise(
    identity: Identity | undefined,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<void>;
}

/** Without identities everybody may do everything: on loopback only (server.ts sees to it). */
export function createAuthenticator(
  identities: readonly Identity[] | undefined,
  home: Home,
  store: Store,
  now: () => number,
): Authenticator {
  return {
    isOn: identities !== undefined,
    authenticate(request) {
      if (!identities) return undefined;
      const signature = parseSignature(request.headers);
      if (!signature)
        throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
      const identity = identities.find(({ accessKeyId }) => accessKeyId === signature.accessKeyId);
      if (!identity) {
        throw new ServiceError(
          'UnrecognizedClientException',
          'The security token included in the request is invalid.',
        );
      }
      verifySignature(request, signature, identity.secretAccessKey, now());
      return identity;
    },
    async authorise(identity, operation, input) {
      if (!identity) return;
      const resources = resourcesOf(input);
      const isAllowed =
        (identity.access === 'full' || isReadOnly(operation)) &&
        isOfUids(identity, input) &&
        (await Promise.all(resources.map((key) => carriesTags(store, key, identity.resourceTags)))).every(
          Boolean,
        );
      if (isAllowed) return;
      throw new ServiceError(
        'AccessDeniedException',
        `User: arn:aws:iam::${home.accountId}:user/${identity.accessKeyId} is not authorized to perform: ` +
          `medical-imaging:${operation} on resource: ${resourceName(home, input)}`,
      );
    },
  };
}

/** As the managed policy AWSHealthImagingReadOnlyAccess has it. */
export function isReadOnly(operation: string): boolean {
  return /^(Get|List|Search)/.test(operation);
}

/** Operations without a UID in their request have no such condition key, and are not bound by it. */
function isOfUids(identity: Identity, input: Readonly<Record<string, unknown>>): boolean {
  const { studyInstanceUIDs, seriesInstanceUIDs } = identity;
  return (
    likeAny(input.studyInstanceUID, studyInstanceUIDs) && likeAny(input.seriesInstanceUID, seriesInstanceUIDs)
  );
}

function likeAny(uid: unknown, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined || typeof uid !== 'string') return true;
  return patterns.some((pattern) => isLike(uid, pattern));
}

/** IAM's StringLike: `*` is any run of characters, `?` any one. In time that grows with both lengths only. */
function isLike(text: string, pattern: string): boolean {
  let [at, of, starAt, starOf] = [0, 0, -1, 0];
  while (at < text.length) {
    if (pattern[of] === '*') {
      starAt = of++;
      starOf = at;
    } else if (of < pattern.length && (pattern[of] === '?' || pattern[of] === text[at])) {
      at++;
      of++;
    } else if (starAt >= 0) {
      of = starAt + 1;
      at = ++starOf;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(of));
}

type Named = { readonly datastoreId?: string; readonly imageSetId?: string };

function namesOf(input: Readonly<Record<string, unknown>>): Named {
  if (typeof input.resourceArn === 'string') return parseArn(input.resourceArn) ?? {};
  const imageSetId = input.imageSetId ?? input.sourceImageSetId;
  return {
    ...(typeof input.datastoreId === 'string' && { datastoreId: input.datastoreId }),
    ...(typeof imageSetId === 'string' && { imageSetId }),
  };
}

/** Tag keys of the data store and, where one is named, of the image set: both have to match. */
function resourcesOf(input: Readonly<Record<string, unknown>>): string[] {
  const { datastoreId, imageSetId } = namesOf(input);
  if (datastoreId === undefined) return [];
  return [
    keyOf('tags', datastoreId),
    ...(imageSetId === undefined ? [] : [keyOf('tags', datastoreId, imageSetId)]),
  ];
}

async function carriesTags(store: Store, key: string, wanted: Identity['resourceTags']): Promise<boolean> {
  if (!wanted) return true;
  const tags = (await store.database.get<Record<string, string>>(key)) ?? {};
  return Object.entries(wanted).every(([name, value]) => tags[name] === value);
}

function resourceName(home: Home, input: Readonly<Record<string, unknown>>): string {
  const { datastoreId, imageSetId } = namesOf(input);
  if (datastoreId === undefined) return '*';
  return imageSetId === undefined
    ? datastoreArn(home, datastoreId)
    : imageSetArn(home, datastoreId, imageSetId);
}
