/** What tests of the pages share: a page of a browser on the world of their file. */
import type { Page } from 'playwright-core';
import type { Demonstration } from './demonstration.ts';

/** Values of the running test: asked for when they are wanted. */
export interface Pages {
  readonly page: () => Page;
  readonly demonstration: () => Demonstration;
  /** The ingest of the demonstration. */
  readonly executionId: () => string;
  /** Of the consoles that pages are opened on. */
  readonly origins: string[];
  /** Opens a panel: `open('ingests', id)`. */
  readonly open: (...parts: string[]) => Promise<unknown>;
}

/** For machines that do much else. */
export const PATIENCE = 90_000;
