/**
 * Each command that the pages for operators name is there, and so is each of its options: those of `isocenter` as it helps
 * with them, those of `aws` as botocore's models have them, and what is deployed as the template has it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { commandsIn, PAGES, textOf } from '../docs-commands.ts';

const root = join(import.meta.dirname, '../..');

/** What `isocenter COMMAND --help` prints; undefined when there is no such command. */
async function helpOf(command: string): Promise<string | undefined> {
  const lines: string[] = [];
  const terminal = {
    result: (text: string) => lines.push(text),
    say: () => {},
    endProgress: () => {},
  } as unknown as Terminal;
  await main(['node', 'isocenter', command, '--help'], terminal);
  const text = lines.join('\n');
  return text.includes(`Usage: isocenter ${command}`) ? text : undefined;
}

/** What is wrong with a command as a page has it. */
async function problemsOf(command: string): Promise<string[]> {
  const [, name = ''] = command.split(/\s+/);
  const help = await helpOf(name);
  if (help === undefined) return [`${command}: no command ${name}`];
  const options = [...command.matchAll(/(--[a-z][a-z-]*)/g)].map(([, option]) => option ?? '');
  return options
    .filter((option) => !help.includes(option))
    .map((option) => `${command}: no option ${option}`);
}

describe.each(PAGES)('docs/%s', (page) => {
  it('names commands and options that exist', async () => {
    const commands = commandsIn(textOf(page));
    expect((await Promise.all(commands.map(problemsOf))).flat()).toEqual([]);
  });

  it('names scripts and files that exist', () => {
    const text = textOf(page);
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    for (const [, name] of text.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, file = ''] of text.matchAll(/node ((?:scripts|bench)\/[\w.-]+)/g))
      expect(readFileSync(join(root, file)).length, file).toBeGreaterThan(0);
  });
});

/** `aws …` in blocks, lines that go on with a backslash as one. */
const awsCommandsIn = (text: string): string[] =>
  [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => line.startsWith('aws ')),
  );

const BOTO = `
import json, sys, botocore.session
from botocore import xform_name
session, problems = botocore.session.get_session(), []
EVERYWHERE = {'query', 'output', 'region'}
for command in json.load(sys.stdin):
    words = command.split()
    service, operation = words[1], words[2]
    model = session.get_service_model(service)
    names = {xform_name(name, '-'): name for name in model.operation_names}
    if operation not in names:
        problems.append(f'aws {service}: no command {operation}')
        continue
    shape = model.operation_model(names[operation]).input_shape
    known = {xform_name(name, '-'): member for name, member in shape.members.items()}
    options = [word[2:] for word in words[3:] if word.startswith('--')]
    for option in options:
        isSwitchedOff = option.startswith('no-') and known.get(option[3:]) and known[option[3:]].type_name == 'boolean'
        if option not in known and option not in EVERYWHERE and not isSwitchedOff:
            problems.append(f'aws {service} {operation}: no option --{option}')
    for name in shape.required_members:
        if xform_name(name, '-') not in options:
            problems.append(f'aws {service} {operation}: wants --' + xform_name(name, '-'))
print(json.dumps(problems))
`;
const hasBoto = spawnSync('python3', ['-c', 'import botocore']).status === 0;
if (!hasBoto) console.warn('skipped: the commands of aws in docs/ (python3-boto3 is not installed)');
const awsProblems = (commands: readonly string[]): string[] =>
  JSON.parse(execFileSync('python3', ['-c', BOTO], { input: JSON.stringify(commands), encoding: 'utf8' }));

it.skipIf(!hasBoto)('commands of aws have operations and options that exist, and all that they need', () => {
  const commands = PAGES.flatMap((page) => awsCommandsIn(textOf(page)));
  expect(commands.length).toBeGreaterThan(3);
  expect(awsProblems(commands)).toEqual([]);
  expect(awsProblems(['aws cognito-idp make-pool', 'aws cognito-idp create-user-pool --name x'])).toEqual([
    'aws cognito-idp: no command make-pool',
    'aws cognito-idp create-user-pool: no option --name',
    'aws cognito-idp create-user-pool: wants --pool-name',
  ]);
});

it('commands that deploy give parameters that the template has', () => {
  const { Parameters } = JSON.parse(readFileSync(join(root, 'local/template.json'), 'utf8')) as {
    Parameters: object;
  };
  const given = PAGES.flatMap((page) => [...textOf(page).matchAll(/--param (\w+)=/g)]).map(
    ([, name]) => name,
  );
  expect(given.length).toBeGreaterThan(3);
  for (const name of given) expect(Object.keys(Parameters)).toContain(name);
});

it('would see a wrong command and a wrong option', async () => {
  expect(commandsIn('`isocenter repeat X` and `npx isocenter retry X --all`')).toHaveLength(2);
  expect(await problemsOf('isocenter repeat X')).toEqual(['isocenter repeat X: no command repeat']);
  expect(await problemsOf('isocenter retry X --all')).toEqual(['isocenter retry X --all: no option --all']);
});
