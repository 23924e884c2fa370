import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTemplate, resolveTemplate } from '../../local/world/template.ts';

const place = { stackName: 'prod', region: 'eu-central-1', accountId: '123456789012' };
const template = await readTemplate(join(import.meta.dirname, '../../local/template.json'));
const made = { ref: 'a'.repeat(32), attributes: { DatastoreId: 'a'.repeat(32), DatastoreArn: 'arn:made' } };
const resolve = (parameters: Record<string, string>) =>
  resolveTemplate(template, parameters, place, { Datastore: made });
const key = 'arn:aws:kms:eu-central-1:123456789012:key/0f1e';

describe('the parameters of a deployment', () => {
  it('make a data store, or take one that is there', () => {
    expect(resolve({}).output('DatastoreId')).toBe('a'.repeat(32));
    const existing = resolve({ datastoreId: 'b'.repeat(32) });
    expect(existing.output('DatastoreId')).toBe('b'.repeat(32));
    expect(existing.ofType('AWS::HealthImaging::Datastore')).toEqual([]);
    const trust = JSON.stringify(existing.get('DataAccessRole').properties.AssumeRolePolicyDocument);
    expect(trust).toContain(`datastore/${'b'.repeat(32)}`);
    expect(JSON.stringify(existing.get('VerifyFramesRole').properties)).toContain(
      `datastore/${'b'.repeat(32)}`,
    );
  });

  it('put one key on buckets, topic and data store, and let the roles use it', () => {
    const withKey = resolve({ kmsKeyArn: key });
    for (const id of [
      'InboxBucket',
      'WorkBucket',
      'NotificationTopic',
      'Datastore',
      'DataAccessRole',
      'TakeUploadRole',
    ])
      expect(JSON.stringify(withKey.get(id).properties), id).toContain(key);
    const without = resolve({});
    expect(JSON.stringify(without.get('InboxBucket').properties)).toContain('AES256');
    expect(JSON.stringify(without.get('TakeUploadRole').properties)).not.toContain('kms:');
  });

  it('let another account write to the inbox, and nothing else', () => {
    const shared = JSON.stringify(
      resolve({ inputOwnerAccountId: '210987654321' }).get('InboxBucketPolicy').properties,
    );
    expect(shared).toContain('arn:aws:iam::210987654321:root');
    expect(shared).not.toContain('s3:GetObject');
    expect(JSON.stringify(resolve({}).get('InboxBucketPolicy').properties)).not.toContain(':root');
  });

  it('give a VPC its private endpoints', () => {
    const endpoints = resolve({ vpcEndpoints: 'vpc-0123456789abcdef0:subnet-0a1b2c3d,subnet-4e5f6a7b' });
    expect(endpoints.get('HealthImagingRuntimeEndpoint').properties).toMatchObject({
      VpcId: 'vpc-0123456789abcdef0',
      SubnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'],
      ServiceName: 'com.amazonaws.eu-central-1.runtime-medical-imaging',
    });
    expect(resolve({}).ofType('AWS::EC2::VPCEndpoint')).toEqual([]);
  });

  it('make a console only where there is somebody to sign people in', () => {
    const issuer = { consoleIssuer: 'https://login.example.org/pool', consoleClientId: 'client-1' };
    const types = (resolved: ReturnType<typeof resolve>) =>
      ['Api', 'Stage', 'Authorizer', 'Integration', 'Route'].map(
        (name) => resolved.ofType(`AWS::ApiGatewayV2::${name}`).length,
      );
    const [without, with_] = [resolve({}), resolve(issuer)];
    expect([types(without), types(with_)]).toEqual([
      [0, 0, 0, 0, 0],
      [1, 1, 1, 1, 5],
    ]);
    for (const id of [
      'ServeConsoleLambdaFunction',
      'ServeConsoleRole',
      'ServeConsoleLogGroup',
      'DecideSeriesLambdaFunction',
      'DecideSeriesRole',
      'DecideSeriesLogGroup',
      'ConsolePermission',
      'ConsoleLogs',
    ]) {
      expect(() => without.get(id), id).toThrow('no such resource');
      expect(with_.get(id).ref).not.toBe('');
    }
    expect(without.get('InboxBucket').properties.CorsConfiguration).toBeUndefined();
    expect(with_.get('InboxBucket').properties.CorsConfiguration).toMatchObject({
      CorsRules: [{ AllowedOrigins: [with_.output('ConsoleUrl')], AllowedMethods: ['PUT'] }],
    });
    expect(with_.get('ConsoleSignIn').properties.JwtConfiguration).toEqual({
      Issuer: issuer.consoleIssuer,
      Audience: ['client-1'],
    });
  });

  it('of the console are given together', () => {
    for (const half of [{ consoleIssuer: 'https://login.example.org' }, { consoleClientId: 'client-1' }])
      expect(() => resolve(half)).toThrow(
        /^parameters: expected that consoleIssuer and consoleClientId are given together, or neither$/,
      );
  });

  it.each([
    ['datastoreId', 'short'],
    ['constraintProfile', '2023'],
    ['verify', 'sample:0'],
    ['merge', 'yes'],
    ['quietSeconds', '-1'],
    ['importConcurrency', '0'],
    ['notificationEmail', 'nobody'],
    ['kmsKeyArn', 'alias/key'],
    ['inputOwnerAccountId', '12'],
    ['retentionDays', '0'],
    ['vpcEndpoints', 'vpc-0123456789abcdef0'],
    ['consoleIssuer', 'http://login.example.org'],
    ['consoleIssuer', 'https://login.example.org/?pool=1'],
    ['consoleClientId', 'two words'],
  ])('refuse %s=%s, saying what was wanted', (name, value) => {
    expect(() => resolve({ [name]: value })).toThrow(
      new RegExp(`^parameter ${name}: expected .*got "${value.replaceAll('?', '\\?')}"$`, 'm'),
    );
  });
});
