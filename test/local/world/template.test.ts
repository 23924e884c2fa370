import { describe, expect, it } from 'vitest';
import { type Json, TemplateError } from '../../../local/world/intrinsics.ts';
import { ParameterError } from '../../../local/world/parameters.mjs';
import { resolveTemplate, type Template } from '../../../local/world/template.ts';

const place = { stackName: 'stack', region: 'eu-central-1', accountId: '123456789012' };
const template = (Resources: Template['Resources'], more: Partial<Template> = {}): Template => ({
  Resources,
  ...more,
});
const queueWith = (Properties: { [key: string]: Json }) =>
  template({ Q: { Type: 'AWS::SQS::Queue', Properties } });

describe('resolving a template', () => {
  it('gives the names and ARNs of resources, whatever their order', () => {
    const resolved = resolveTemplate(
      template({
        Sub: {
          Type: 'AWS::SNS::Subscription',
          Properties: {
            Protocol: 'sqs',
            TopicArn: { Ref: 'Topic' },
            Endpoint: { 'Fn::GetAtt': ['Q', 'Arn'] },
          },
        },
        Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Sub': `\${AWS::StackName}-q` } } },
        Topic: { Type: 'AWS::SNS::Topic' },
      }),
      {},
      place,
    );
    expect(resolved.get('Sub').properties).toEqual({
      Protocol: 'sqs',
      TopicArn: 'arn:aws:sns:eu-central-1:123456789012:stack-Topic',
      Endpoint: 'arn:aws:sqs:eu-central-1:123456789012:stack-q',
    });
  });

  it.each<[string, Json, Json]>([
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }]] }, 'a-eu-central-1'],
    ['Fn::Select of Fn::Split', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'a/b'] }] }, 'b'],
    ['Fn::Sub with values of its own', { 'Fn::Sub': [`\${A}-\${!B}`, { A: 'x' }] }, `x-\${B}`],
    ['Fn::If', { 'Fn::If': ['Yes', 'y', 'n'] }, 'y'],
    ['AWS::NoValue in a list', ['a', { 'Fn::If': ['No', 'x', { Ref: 'AWS::NoValue' }] }], ['a']],
  ])('evaluates %s', (_name, value, expected) => {
    const given = template(
      { Q: { Type: 'AWS::SQS::Queue', Properties: { Tags: value } } },
      { Conditions: { Yes: { 'Fn::Equals': ['a', 'a'] }, No: { 'Fn::Not': [{ Condition: 'Yes' }] } } },
    );
    expect(resolveTemplate(given, {}, place).get('Q').properties.Tags).toEqual(expected);
  });

  it('leaves out what its condition excludes', () => {
    const given = template(
      { Q: { Type: 'AWS::SQS::Queue', Condition: 'Never' } },
      { Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } },
    );
    expect(resolveTemplate(given, {}, place).ofType('AWS::SQS::Queue')).toEqual([]);
  });

  it.each<[string, Template, RegExp]>([
    [
      'a type that is not run',
      template({ X: { Type: 'AWS::RDS::DBCluster' } }),
      /^X: AWS::RDS::DBCluster is not run/,
    ],
    ['a property that matters', queueWith({ FifoQueue: true }), /^Q: property FifoQueue/],
    ['a reference to nothing', queueWith({ QueueName: { Ref: 'Nope' } }), /^Q: Ref Nope/],
    [
      'an attribute that is not known',
      queueWith({ Tags: { 'Fn::GetAtt': ['Q', 'Nope'] } }),
      /^Q: Fn::GetAtt Nope/,
    ],
    ['an unknown function', queueWith({ QueueName: { 'Fn::ImportValue': 'x' } }), /^Q: Fn::ImportValue/],
    [
      'a name that depends on itself',
      queueWith({ QueueName: { Ref: 'Q' } }),
      /^Q: its name depends on itself/,
    ],
  ])('refuses %s, naming the logical id', (_name, given, message) => {
    expect(() => resolveTemplate(given, {}, place)).toThrow(TemplateError);
    expect(() => resolveTemplate(given, {}, place)).toThrow(message);
  });

  it('tells everything that is wrong with the parameters at once', () => {
    const Parameters = {
      quietSeconds: { Type: 'String', Default: '60', AllowedPattern: '^[0-9]+$', Description: 'seconds' },
      merge: { Type: 'String', Default: 'auto', AllowedValues: ['auto', 'off'] },
    };
    const given = { quietSeconds: 'soon', merge: 'yes', colour: 'red' };
    const resolving = () => resolveTemplate(template({}, { Parameters }), given, place);
    expect(resolving).toThrow(ParameterError);
    for (const name of [/quietSeconds.*"soon"/, /merge.*"yes"/, /colour: unknown/])
      expect(resolving).toThrow(name);
  });
});
