/**
 * `npm run package [-- --param name=value --stage dev]`: builds, checks the parameters, and packages the stack without
 * network or credentials: `.serverless/*.zip`, the deploy tool's template, and `local/template.json`, the same template
 * without what differs from run to run, which the local world runs.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { buildAll } from './build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Belongs to the deploy tool, not to the product. */
const DEPLOY_TOOL = /^ServerlessDeployment/;

/** Runs the deploy tool's `package` for `stage` into `folder`. Throws with its output when it fails. */
async function runDeployTool(folder, stage, pairs) {
  const bin = join(createRequire(import.meta.url).resolve('serverless/package.json'), '../bin/serverless.js');
  const args = [bin, 'package', '--package', folder, '--stage', stage];
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    AWS_ACCESS_KEY_ID: 'offline',
    AWS_SECRET_ACCESS_KEY: 'offline',
  };
  try {
    await promisify(execFile)(process.execPath, [...args, ...pairs.flatMap((pair) => ['--param', pair])], {
      cwd: root,
      env,
    });
  } catch (error) {
    throw new Error(`the deploy tool could not package:\n${error.stdout}${error.stderr}`);
  }
}

/** The stack's name inside texts becomes `${AWS::StackName}`, so that one template serves every stack. */
function nameless(value, stackName, insideSub = false) {
  if (typeof value === 'string') {
    if (!value.includes(stackName)) return value;
    const text = value.replaceAll(stackName, `\${AWS::StackName}`);
    return insideSub ? text : { 'Fn::Sub': text };
  }
  if (Array.isArray(value)) return value.map((item) => nameless(item, stackName, insideSub));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, nameless(item, stackName, key === 'Fn::Sub')]),
  );
}

/** The deploy tool's template without its own bucket, upload paths with timestamps, and the stack's name. */
export function normaliseTemplate(template, stackName) {
  const resources = Object.entries(template.Resources).filter(([id]) => !DEPLOY_TOOL.test(id));
  for (const [, { Type, Properties }] of resources) {
    if (Type !== 'AWS::Lambda::Function') continue;
    Properties.Code = { S3Bucket: 'artifacts', S3Key: Properties.Code.S3Key.split('/').at(-1) };
  }
  const outputs = Object.entries(template.Outputs).filter(([id]) => !DEPLOY_TOOL.test(id));
  return {
    AWSTemplateFormatVersion: template.AWSTemplateFormatVersion,
    Description: 'Isocenter: event-driven DICOM ingestion for AWS HealthImaging',
    Parameters: template.Parameters,
    Rules: template.Rules,
    Conditions: template.Conditions,
    Resources: nameless(Object.fromEntries(resources), stackName),
    Outputs: nameless(Object.fromEntries(outputs), stackName),
  };
}

/** Packages into `folder`; returns the deploy tool's template and the normalised one. */
export async function packageStack({ folder = join(root, '.serverless'), stage = 'dev', pairs = [] } = {}) {
  await runDeployTool(folder, stage, pairs);
  const raw = JSON.parse(readFileSync(join(folder, 'cloudformation-template-update-stack.json'), 'utf8'));
  const { service } = JSON.parse(readFileSync(join(folder, 'serverless-state.json'), 'utf8')).service;
  return { raw, template: normaliseTemplate(structuredClone(raw), `${service}-${stage}`) };
}

/** How local/template.json is written: stable, one value a line, so that a change reads well. */
export const templateText = (template) => `${JSON.stringify(template, null, 1)}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({
      options: {
        param: { type: 'string', multiple: true, default: [] },
        stage: { type: 'string', default: 'dev' },
      },
    });
    await buildAll();
    const { template } = await packageStack({ stage: values.stage, pairs: values.param });
    writeFileSync(join(root, 'local', 'template.json'), templateText(template));
    console.error(`packaged ${Object.keys(template.Resources).length} resources in .serverless/`);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
