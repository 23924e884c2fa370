/** Names of attributes in metadata documents: PS3.6 keywords, or tags as `GGGGEEEE`. Pure. */
import { isPrivate, lookUp, tagOf } from '../../../shared/dicom/dictionary.ts';
import { type Level, levelOf } from '../../../shared/dicom/normalisation.ts';

export interface AttributeName {
  readonly name: string;
  /** The name in PS3.6, where it has one. */
  readonly keyword?: string;
  readonly tag: number;
  readonly isPrivate: boolean;
  /** In the standard's dictionary. */
  readonly isKnown: boolean;
  readonly vr?: string;
  readonly isMultiple: boolean;
  /** Where the document keeps it. */
  readonly level: Level;
}

/** Undefined for what is neither a keyword nor a tag. */
export function attributeName(name: string): AttributeName | undefined {
  const tag = /^[0-9A-Fa-f]{8}$/.test(name) ? Number.parseInt(name, 16) : tagOf(name);
  if (tag === undefined) return undefined;
  const entry = lookUp(tag);
  return {
    name,
    tag,
    isPrivate: isPrivate(tag),
    isKnown: entry !== undefined,
    ...(entry && { vr: entry.vr, keyword: entry.keyword }),
    isMultiple: entry?.isMultiple ?? false,
    level: levelOf(tag),
  };
}
