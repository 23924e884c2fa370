/** What the page and its decoding worker say to each other. */
import type { Frame } from './pixels.ts';

export type Asked =
  | { readonly kind: 'decode'; readonly id: number; readonly encoded: ArrayBuffer; readonly level: number }
  | { readonly kind: 'cancel'; readonly id: number };

export type Told =
  | { readonly kind: 'frame'; readonly id: number; readonly frame: Frame & { readonly crc32: number } }
  | { readonly kind: 'problem'; readonly id: number; readonly message: string };
