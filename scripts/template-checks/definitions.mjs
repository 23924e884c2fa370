/** State machines: valid definitions, substitutions that fit, and functions that somebody calls. */
import { createRequire } from 'node:module';

const validate = createRequire(import.meta.url)('asl-validator');

const namesIn = (value) => [
  ...new Set([...JSON.stringify(value).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name)),
];
const ofType = (template, type) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type);

function checkMachine([logicalId, { Properties }]) {
  const { Definition, DefinitionSubstitutions = {} } = Properties;
  const { isValid, errors } = (validate.default ?? validate)(Definition, {
    checkPaths: true,
    checkArn: false,
  });
  const names = namesIn(Definition);
  return [
    ...(isValid ? [] : errors.map((error) => `${logicalId}: ${error['Error code']}: ${error.Message}`)),
    ...names
      .filter((name) => !(name in DefinitionSubstitutions))
      .map((name) => `${logicalId}: nothing substitutes \${${name}}`),
    ...Object.keys(DefinitionSubstitutions)
      .filter((name) => !names.includes(name))
      .map((name) => `${logicalId}: the substitution ${name} is not used`),
  ];
}

/** What a role of ours lets a function invoke: another function, by its own code. */
const invokedBy = ({ Type, Properties }) =>
  Type !== 'AWS::IAM::Role'
    ? []
    : Properties.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement).filter(({ Action }) =>
        [Action].flat().includes('lambda:InvokeFunction'),
      );

/** Logical ids that appear as the target of something: a state machine, an event source, a rule, an API, a function. */
function calledIds(template) {
  const resources = Object.values(template.Resources);
  const callers = [
    ...resources.filter(({ Type }) =>
      /StateMachine$|EventSourceMapping$|Events::Rule$|Subscription$|ApiGateway/.test(Type),
    ),
    ...resources.flatMap(invokedBy),
  ];
  return new Set(
    [...JSON.stringify(callers).matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)].map(([, id]) => id),
  );
}

export function checkDefinitions(template) {
  const called = calledIds(template);
  const functions = ofType(template, 'AWS::Lambda::Function');
  return [
    ...ofType(template, 'AWS::StepFunctions::StateMachine').flatMap(checkMachine),
    ...functions
      .filter(([logicalId]) => !called.has(logicalId))
      .map(([logicalId]) => `${logicalId}: nothing calls this function`),
  ];
}
