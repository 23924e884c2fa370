/** Who may do what: nothing public, nothing that is not TLS, no `*` and no permission without a stated reason. */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value) => (Array.isArray(value) ? value : [value]);

/** The statement itself, or the one that stands behind a condition. */
const plain = (statement) =>
  statement['Fn::If'] ? statement['Fn::If'].slice(1).find(({ Effect }) => Effect) : statement;

/** Every policy statement of a resource: `[where, statement, reason]`. */
function statementsOf(logicalId, { Type, Properties = {}, Metadata = {} }) {
  if (Type === 'AWS::IAM::Role') {
    const documents = (Properties.Policies ?? []).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    return documents.map((statement, index) => [
      `${logicalId}[${index}]`,
      plain(statement),
      Metadata.reasons?.[index],
    ]);
  }
  const { Statement = [] } = Properties.PolicyDocument ?? {};
  return Statement.map((statement, index) => [`${logicalId}[${index}]`, plain(statement), 'resource policy']);
}

function checkStatement([where, statement, reason]) {
  if (statement.Effect !== 'Allow') return [];
  const problems = [];
  if (!reason) problems.push(`${where}: no reason is stated (Metadata.reasons)`);
  for (const action of list(statement.Action))
    if (/\*/.test(action)) problems.push(`${where}: allows ${action}; name the actions`);
  const principals = isObject(statement.Principal)
    ? Object.values(statement.Principal).flat()
    : list(statement.Principal ?? []);
  if (principals.includes('*')) problems.push(`${where}: allows everybody`);
  if (list(statement.Resource).includes('*') && !/no resources? to name|no resource/.test(reason ?? ''))
    problems.push(`${where}: Resource "*" needs the reason that the service has no resources to name`);
  return problems;
}

function checkBucket(logicalId, { Properties = {} }, Resources) {
  const block = Properties.PublicAccessBlockConfiguration ?? {};
  const open = ['BlockPublicAcls', 'BlockPublicPolicy', 'IgnorePublicAcls', 'RestrictPublicBuckets'].filter(
    (name) => block[name] !== true,
  );
  const policies = Object.values(Resources).filter(
    ({ Type, Properties: p }) => Type === 'AWS::S3::BucketPolicy' && p.Bucket?.Ref === logicalId,
  );
  const tlsOnly = policies.some(({ Properties: p }) =>
    p.PolicyDocument.Statement.some(
      (s) =>
        s.Effect === 'Deny' && s.Condition?.Bool?.['aws:SecureTransport'] === 'false' && s.Principal === '*',
    ),
  );
  return [
    ...open.map((name) => `${logicalId}: ${name} is not on`),
    ...(Properties.AccessControl ? [`${logicalId}: AccessControl is not wanted`] : []),
    ...(Properties.BucketEncryption ? [] : [`${logicalId}: not encrypted`]),
    ...(tlsOnly ? [] : [`${logicalId}: no policy denies what is not TLS`]),
  ];
}

/** Queues and topics carry keys or facts about ingests. Both branches of a condition count. */
function checkEncryption(logicalId, { Type, Properties = {} }) {
  const names = { 'AWS::SQS::Queue': ['KmsMasterKeyId', 'SqsManagedSseEnabled'] }[Type] ?? [];
  const isOn = names.some((name) => Properties[name] !== undefined && Properties[name] !== false);
  return names.length > 0 && !isOn ? [`${logicalId}: not encrypted`] : [];
}

/** Roles that services assume on behalf of others name the account for which they do. */
function checkTrust(logicalId, { Properties }) {
  return list(Properties.AssumeRolePolicyDocument.Statement).flatMap(({ Principal, Condition }) => {
    const services = list(Principal?.Service ?? []);
    if (list(Principal?.AWS ?? []).includes('*')) return [`${logicalId}: anybody may assume this role`];
    const confused = services.some((service) => service !== 'lambda.amazonaws.com');
    return confused && !Condition?.StringEquals?.['aws:SourceAccount']
      ? [`${logicalId}: ${services} may assume this role for any account (aws:SourceAccount)`]
      : [];
  });
}

export function checkAccess({ Resources }) {
  return Object.entries(Resources).flatMap(([logicalId, resource]) => [
    ...statementsOf(logicalId, resource).flatMap(checkStatement),
    ...(resource.Type === 'AWS::S3::Bucket' ? checkBucket(logicalId, resource, Resources) : []),
    ...checkEncryption(logicalId, resource),
    ...(resource.Type === 'AWS::IAM::Role' ? checkTrust(logicalId, resource) : []),
  ]);
}
