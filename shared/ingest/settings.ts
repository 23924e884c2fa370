/** The environment of every function, parsed once: names, ranges and defaults as data (design section 10). Pure. */

export interface Settings {
  readonly inboxBucket: string;
  readonly workBucket: string;
  readonly datastoreId: string;
  readonly dataAccessRoleArn: string;
  readonly eventBusName: string;
  readonly ingestStateMachineArn: string;
  readonly constraintProfile: 'current' | '2024';
  readonly verify: { readonly mode: 'full' | 'off' } | { readonly mode: 'sample'; readonly percent: number };
  readonly merge: 'auto' | 'report-only' | 'off';
  readonly quietSeconds: number;
  readonly maxWaitSeconds: number;
  readonly mergeGraceSeconds: number;
  readonly maxAttempts: number;
  /** Image sets that a nightly audit proves again; 0 for none. */
  readonly auditPercent: number;
  readonly inputOwnerAccountId?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws one error that lists every value that is missing or ill-formed: the name, the wanted and the got. */
export function parseSettings(environment: Environment): Settings {
  const problems: string[] = [];
  const text = (name: string, wanted: string, pattern = /./): string => {
    const got = environment[name] ?? '';
    if (!pattern.test(got)) problems.push(`${name}: expected ${wanted}, got ${JSON.stringify(got)}`);
    return got;
  };
  const seconds = (name: string, fallback: number): number => {
    const got = environment[name] || String(fallback);
    if (!/^\d{1,9}$/.test(got)) problems.push(`${name}: expected a whole number, got ${JSON.stringify(got)}`);
    return Number(got);
  };
  const owner = environment.INPUT_OWNER_ACCOUNT_ID;
  const settings: Settings = {
    inboxBucket: text('INBOX_BUCKET', 'a bucket name'),
    workBucket: text('WORK_BUCKET', 'a bucket name'),
    datastoreId: text('DATASTORE_ID', '32 of 0-9a-z', /^[0-9a-z]{32}$/),
    dataAccessRoleArn: text('DATA_ACCESS_ROLE_ARN', 'a role ARN', /^arn:aws/),
    eventBusName: text('EVENT_BUS_NAME', 'a bus name'),
    ingestStateMachineArn: text('INGEST_STATE_MACHINE_ARN', 'a state machine ARN', /^arn:aws/),
    constraintProfile: text('CONSTRAINT_PROFILE', 'current or 2024', /^(current|2024)$/) as
      | 'current'
      | '2024',
    verify: parseVerify(
      text('VERIFY', 'full, off or sample:1 to sample:100', /^(full|off|sample:([1-9]\d?|100))$/),
    ),
    merge: text('MERGE', 'auto, report-only or off', /^(auto|report-only|off)$/) as Settings['merge'],
    quietSeconds: seconds('QUIET_SECONDS', 60),
    maxWaitSeconds: seconds('MAX_WAIT_SECONDS', 900),
    mergeGraceSeconds: seconds('MERGE_GRACE_SECONDS', 604_800),
    maxAttempts: seconds('MAX_ATTEMPTS', 5),
    auditPercent: Math.min(100, seconds('AUDIT_PERCENT', 0)),
    ...(owner ? { inputOwnerAccountId: owner } : {}),
  };
  if (problems.length > 0) throw new Error(`environment: ${problems.join('; ')}`);
  return settings;
}

function parseVerify(value: string): Settings['verify'] {
  if (value === 'full' || value === 'off') return { mode: value };
  return { mode: 'sample', percent: Number(value.slice('sample:'.length)) };
}
