/** The `isocenter` commands that the pages below docs/ name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const docs = join(import.meta.dirname, '../docs');

/** Names of the pages. */
export const PAGES = readdirSync(docs).filter((name) => name.endsWith('.md'));

export const textOf = (page: string): string => readFileSync(join(docs, page), 'utf8');

/** `isocenter …` in code, inline or in a block, up to the end of the line, a pipe or a comment. */
export function commandsIn(text: string): string[] {
  const inline = [...text.matchAll(/`(?:npx )?(isocenter [a-z][^`]*)`/g)].map(([, command]) => command ?? '');
  const blocks = [...text.matchAll(/```(?:sh|text)\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split('\n').flatMap((line) => /^(?:npx )?(isocenter [a-z][^#|]*)/.exec(line.trim())?.[1] ?? []),
  );
  return [...inline, ...blocks].map((command) => command.replace(/\s+/g, ' ').trim());
}
