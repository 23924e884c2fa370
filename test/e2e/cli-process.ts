/** Runs `isocenter` as another process, as a user does. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../../cli/isocenter.mjs', import.meta.url));

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function isocenter(...args: string[]): Promise<CliResult> {
  return isocenterWith({}, ...args);
}

/** The same with more in its environment. */
export function isocenterWith(env: Readonly<Record<string, string>>, ...args: string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** One line of the document of `ingest --json`. */
export interface DocumentObject {
  readonly key: string;
  readonly outcome: 'ingested' | 'duplicate' | 'rejected' | 'failed';
  readonly code?: string;
  readonly message?: string;
  readonly advice?: string;
  readonly proof?: string;
  readonly sopInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly transferSyntaxUID?: string;
  readonly imageSetId?: string;
}

export interface Document {
  readonly outcome: string;
  readonly counts: Record<'received' | 'ingested' | 'duplicate' | 'rejected' | 'failed', number>;
  readonly frames: Record<string, number>;
  readonly rejects: Record<string, number>;
  readonly imageSets: readonly { readonly imageSetId: string }[];
  readonly merges: readonly { readonly outcome: string; readonly keywords: readonly string[] }[];
  readonly objects: readonly DocumentObject[];
}
