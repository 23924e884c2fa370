import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { STACK_NAMES } from '../../cli/stack.ts';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Properties: Readonly<Record<string, unknown>> }>>;
}

it('finds a stack by the names that its template gives', () => {
  const file = new URL('../../local/template.json', import.meta.url);
  const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as Template;
  const [stack, account, region] = [
    '$' + '{AWS::StackName}',
    '$' + '{AWS::AccountId}',
    '$' + '{AWS::Region}',
  ];
  const wanted = {
    IngestStateMachine: { StateMachineName: { 'Fn::Sub': STACK_NAMES.ingestStateMachine(stack) } },
    InboxBucket: { BucketName: { 'Fn::Sub': STACK_NAMES.inboxBucket(stack, account, region) } },
    WorkBucket: { BucketName: { 'Fn::Sub': STACK_NAMES.workBucket(stack, account, region) } },
  };
  for (const [resource, properties] of Object.entries(wanted))
    expect(Resources[resource]?.Properties).toMatchObject(properties);
});
