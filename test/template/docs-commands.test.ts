/** Each `isocenter` command that the pages for operators name: the command is there, and so is each of its options. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import type { Terminal } from '../../cli/terminal.ts';

const root = join(import.meta.dirname, '../..');
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));

/** `isocenter …` in code, inline or in a block, up to the end of the line, a pipe or a comment. */
function commandsIn(text: string): string[] {
  const inline = [...text.matchAll(/`(?:npx )?(isocenter [a-z][^`]*)`/g)].map(([, command]) => command ?? '');
  const blocks = [...text.matchAll(/```(?:sh|text)\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n').flatMap((line) => /^(?:npx )?(isocenter [a-z][^#|]*)/.exec(line.trim())?.[1] ?? []),
  );
  return [...inline, ...blocks];
}

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

describe.each(pages)('docs/%s', (page) => {
  it('names commands and options that exist', async () => {
    const commands = commandsIn(readFileSync(join(root, 'docs', page), 'utf8'));
    expect((await Promise.all(commands.map(problemsOf))).flat()).toEqual([]);
  });

  it('names scripts and files that exist', () => {
    const text = readFileSync(join(root, 'docs', page), 'utf8');
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    for (const [, name] of text.matchAll(/npm run ([a-z:]+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, file = ''] of text.matchAll(/node ((?:scripts|bench)\/[\w.-]+)/g))
      expect(readFileSync(join(root, file)).length, file).toBeGreaterThan(0);
  });
});

it('would see a wrong command and a wrong option', async () => {
  expect(commandsIn('`isocenter repeat X` and `npx isocenter retry X --all`')).toHaveLength(2);
  expect(await problemsOf('isocenter repeat X')).toEqual(['isocenter repeat X: no command repeat']);
  expect(await problemsOf('isocenter retry X --all')).toEqual(['isocenter retry X --all: no option --all']);
});
