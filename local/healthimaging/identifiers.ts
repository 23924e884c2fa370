/** Identifiers and ARNs in the service's shapes (API model: 32 lower-case hex digits; ARNs with `imageset`). */
import { createHash, randomBytes } from 'node:crypto';

export const newId = (): string => randomBytes(16).toString('hex');

/** The same parts give the same identifier: work done twice after a crash lands in the same place. */
export function derivedId(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

export interface Home {
  readonly region: string;
  readonly accountId: string;
}

export const datastoreArn = (home: Home, datastoreId: string) =>
  `arn:aws:medical-imaging:${home.region}:${home.accountId}:datastore/${datastoreId}`;

export const imageSetArn = (home: Home, datastoreId: string, imageSetId: string) =>
  `${datastoreArn(home, datastoreId)}/imageset/${imageSetId}`;

/** The data store and image set that an ARN names; the region and account are not looked at. */
export function parseArn(arn: string): { datastoreId: string; imageSetId?: string } | undefined {
  const match = /:datastore\/([0-9a-z]{32})(?:\/imageset\/([0-9a-z]{32}))?$/.exec(arn);
  if (!match?.[1]) return undefined;
  return { datastoreId: match[1], ...(match[2] && { imageSetId: match[2] }) };
}
