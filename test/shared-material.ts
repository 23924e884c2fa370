/**
 * The shared DICOM material lies beside the checkout, at `../shared/dicom`. Where it is absent the suites that
 * need it are skipped, and say so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const sharedDicom =
  process.env.ISOCENTER_SHARED_DICOM ?? fileURLToPath(new URL('../../shared/dicom', import.meta.url));
export const hasSharedDicom = existsSync(join(sharedDicom, 'MANIFEST.json'));
if (!hasSharedDicom)
  console.warn(`skipped: no DICOM material at ${sharedDicom} (set ISOCENTER_SHARED_DICOM)`);

export interface ManifestFile {
  path: string;
  bytes: number;
  purpose: string;
  transferSyntaxUID: string | null;
  sopInstanceUID: string | null;
  rows: number | null;
  columns: number | null;
  frames: number | null;
  samplesPerPixel: number | null;
  bitsAllocated: number | null;
  bitsStored: number | null;
  pixelRepresentation: number | null;
  photometricInterpretation: string | null;
  planarConfiguration: number | null;
  specificCharacterSet: string | null;
  preamble: boolean;
  goodFor: string;
  truthNote: string | null;
  truth: null | {
    decoder: string;
    exact: boolean;
    element: string;
    photometricInterpretation: string;
    planarConfiguration: number | null;
    frameBytes: number;
    framesCrc32: number[];
    min: number;
    max: number;
    mean: number;
    withoutColourConversion?: { framesCrc32?: number[] };
  };
}

/** The manifest: one entry a file, with independent decoders' CRC32s. */
export function readManifest(): {
  files: ManifestFile[];
  codestreams: { path: string; [fact: string]: unknown }[];
} {
  return JSON.parse(readFileSync(join(sharedDicom, 'MANIFEST.json'), 'utf8'));
}

export function readShared(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(sharedDicom, path)));
}
