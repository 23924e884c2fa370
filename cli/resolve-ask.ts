/**
 * What a person sees before deciding. Values of patients are written to a terminal in front of somebody, or where they
 * were asked for with --values; never else, so that no log keeps them.
 */
import { createInterface } from 'node:readline/promises';
import { type Identity, identityDigest } from '../shared/ingest/identity.ts';
import type { HeldView } from '../shared/ingest/release-held.ts';
import type { SeriesView } from '../shared/ingest/resolve-series.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { plural } from './progress.ts';
import type { Terminal } from './terminal.ts';

const labelOf = (identity: Identity) => identityDigest(identity).slice(0, 8);

/** Image sets and what is held back, by the labels of their patients; no values. */
export function showSeries(view: SeriesView, held: HeldView | undefined): string[] {
  const sets = view.imageSets.map(
    ({ imageSetId, isPrimary, isProven, instances, identity }) =>
      `image set ${imageSetId}: patient ${labelOf(identity)}, ${plural(instances, 'instance')}${isPrimary ? ', primary' : ''}${
        isProven ? '' : ', not proven'
      }`,
  );
  const waiting = (held?.patients ?? [])
    .filter((patient) => patient.held > 0)
    .map(({ label, held: objects }) => `held back: ${plural(objects, 'object')} of patient ${label}`);
  const differ = [...new Set([...view.keywords, ...(held?.keywords ?? [])])].sort();
  return [...sets, ...waiting, differ.length > 0 ? `they differ in ${differ.join(', ')}` : 'they agree'];
}

export function identityLines(identities: readonly Identity[]): string[] {
  const distinct = new Map(identities.map((identity) => [labelOf(identity), identity]));
  return [...distinct].map(([label, { patientID, issuerOfPatientID, name, birthDate, sex }]) => {
    const issuer = issuerOfPatientID === '' ? '' : ` of ${issuerOfPatientID}`;
    return `  patient ${label}: ${JSON.stringify(patientID)}${issuer}, ${JSON.stringify(name)}, born ${birthDate || '(empty)'}, sex ${sex || '(empty)'}`;
  });
}

/** The second yes. Throws CommandFailed when the answer is another one. */
export async function askAgain(
  identities: readonly Identity[],
  keywords: readonly string[],
  decision: string,
  options: { readonly yes?: boolean; readonly values?: boolean },
  terminal: Terminal,
): Promise<void> {
  const isWatched = process.stdin.isTTY === true && process.stderr.isTTY === true;
  terminal.say(`the patients differ: ${keywords.join(', ')}`);
  if (isWatched || options.values) for (const line of identityLines(identities)) terminal.say(line);
  if (options.yes) return;
  if (!isWatched)
    throw new UsageError('differing patients: say --yes when they are one, and this is a decision');
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`are these ${decision}? type yes to go on: `);
    if (answer.trim() !== 'yes') throw new CommandFailed('nothing was changed');
  } finally {
    asking.close();
  }
}
