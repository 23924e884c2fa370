/** What a rule's target gets of an event: the whole, a part (InputPath), a constant (Input), or a template (InputTransformer). */
import { type Json, TemplateError } from './intrinsics.ts';

type Fields = { readonly [key: string]: Json };

/** A function from an event to the text that the target gets. Throws TemplateError for what is not run here. */
export function compileInput(target: Fields, path: string): (event: unknown) => string {
  if (typeof target.Input === 'string') {
    const constant = target.Input;
    return () => constant;
  }
  if (typeof target.InputPath === 'string') {
    const read = compilePath(target.InputPath, path);
    return (event) => JSON.stringify(read(event) ?? null);
  }
  if (target.InputTransformer !== undefined)
    return compileTransformer(target.InputTransformer as Fields, path);
  return (event) => JSON.stringify(event);
}

/** `$.detail.counts.failed`, `$.detail.reasons[0]`: fields and indexes only, as EventBridge takes them. */
function compilePath(text: string, where: string): (event: unknown) => unknown {
  if (!/^\$(\.[A-Za-z0-9_-]+|\[\d+\])*$/.test(text))
    throw new TemplateError(`${where}: the path ${text} is not run locally`);
  const steps = [...text.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]/g)].map(
    ([, name, index]) => name ?? index ?? '',
  );
  return (event) =>
    steps.reduce<unknown>(
      (value, step) =>
        typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[step] : undefined,
      event,
    );
}

/** A quoted `"text with <name>"` gives that text (JSON), otherwise `<name>` gives JSON: both as EventBridge does it. */
function compileTransformer(transformer: Fields, path: string): (event: unknown) => string {
  const paths = Object.entries((transformer.InputPathsMap ?? {}) as Record<string, string>).map(
    ([name, value]) => [name, compilePath(value, `${path}.InputPathsMap.${name}`)] as const,
  );
  const template = String(transformer.InputTemplate);
  const known = new Map(paths);
  for (const [, name] of template.matchAll(/<([A-Za-z0-9_-]+)>/g)) {
    if (!known.has(String(name))) throw new TemplateError(`${path}: <${name}> is not in InputPathsMap`);
  }
  return (event) => {
    let quoted = false;
    return template.replace(/\\.|"|<([A-Za-z0-9_-]+)>/g, (part, name: string | undefined) => {
      if (part === '"') quoted = !quoted;
      if (name === undefined) return part;
      return insert(known.get(name)?.(event), quoted);
    });
  };
}

function insert(value: unknown, quoted: boolean): string {
  if (!quoted) return JSON.stringify(value ?? null);
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
