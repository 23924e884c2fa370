/** XML in and out. Reading is strict: no DOCTYPE, no entities but the five and numeric ones, bounded depth and size. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { S3Error } from './s3-error.ts';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Text safe inside an element; control characters as numeric references, as S3 writes them. */
export function escapeXml(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => ESCAPES[character]!)
    .replace(/[\p{Cc}\ufffe\uffff]/gu, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}

export type XmlValue = string | number | boolean | undefined | XmlTree | readonly (string | XmlTree)[];
export interface XmlTree {
  readonly [element: string]: XmlValue;
}

/** A document of `root` with the elements of `tree` in their order; undefined ones are left out, arrays repeat. */
export function renderXml(root: string, tree: XmlTree): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${NAMESPACE}">${renderTree(tree)}</${root}>`;
}

function renderTree(tree: XmlTree): string {
  let out = '';
  for (const [name, value] of Object.entries(tree)) {
    if (value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      out += `<${name}>${typeof item === 'object' ? renderTree(item) : escapeXml(String(item))}</${name}>`;
    }
  }
  return out;
}

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  removeNSPrefix: true,
  maxNestedTags: 12,
  isArray: () => true,
});

/** One element of a parsed document: its children by name, each a list. */
export type XmlElement = Record<string, unknown[]>;

/** The children of the document's root element, which must be `root`. Throws MalformedXML. */
export function parseXml(text: string, root: string): XmlElement {
  if (/<!(DOCTYPE|ENTITY|ELEMENT)/i.test(text))
    throw new S3Error('MalformedXML', 'a DOCTYPE is not accepted');
  let document: XmlElement;
  try {
    if (XMLValidator.validate(text) !== true) throw new S3Error('MalformedXML');
    document = parser.parse(text) as XmlElement;
  } catch (error) {
    throw new S3Error('MalformedXML', undefined, { cause: error });
  }
  const found = document[root]?.[0];
  if (found === undefined) throw new S3Error('MalformedXML', `expected the element ${root}`);
  return isElement(found) ? found : {};
}

/** The elements named `name` below `parent` that hold elements. */
export function childElements(parent: XmlElement, name: string): XmlElement[] {
  return (parent[name] ?? []).filter(isElement);
}

/** The text of the first element `name`, entities resolved; undefined when there is none. Throws MalformedXML. */
export const childText = (parent: XmlElement, name: string): string | undefined =>
  childTexts(parent, name)[0];

/** The texts of all elements `name`. Throws MalformedXML. */
export function childTexts(parent: XmlElement, name: string): string[] {
  return (parent[name] ?? []).map((found) => {
    if (typeof found !== 'string') throw new S3Error('MalformedXML', `expected text in ${name}`);
    return found.replace(/&([^;&]*);?/g, resolveEntity);
  });
}

function resolveEntity(whole: string, name: string): string {
  const named = Object.hasOwn(ENTITIES, name) ? ENTITIES[name] : undefined;
  if (named !== undefined && whole.endsWith(';')) return named;
  const digits = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name);
  const point = digits ? Number.parseInt(digits[1] ?? digits[2]!, digits[1] ? 16 : 10) : Number.NaN;
  if (!whole.endsWith(';') || !(point <= 0x10ffff) || (point >= 0xd800 && point <= 0xdfff)) {
    throw new S3Error('MalformedXML', 'unknown entity');
  }
  return String.fromCodePoint(point);
}

function isElement(value: unknown): value is XmlElement {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
