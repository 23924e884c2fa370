/** What can end a command early: each is one line on stderr and an exit code (design: the command line's contract). */

/** The codes that every command uses; those of a report come from `exitCode` in shared/ingest. */
export const EXIT = { ok: 0, failed: 1, refused: 2, usage: 64 } as const;

/** Something outside went wrong (no server, disk, a missing report): exit 1. */
export class CommandFailed extends Error {
  override readonly name: string = 'CommandFailed';
  readonly exitCode: number = EXIT.failed;
}

/** The command line itself is wrong: exit 64, nothing was started. */
export class UsageError extends CommandFailed {
  override readonly name = 'UsageError';
  override readonly exitCode = EXIT.usage;
}

const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'not a folder',
  EISDIR: 'is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EADDRINUSE: 'the port is taken',
  EMFILE: 'too many open files',
  ECONNREFUSED: 'nothing answers there',
  ECONNRESET: 'the connection was cut',
};

/** One line about an error, with the system's codes in words. Never a stack. */
export function oneLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return oneLine(error.errors[0]);
  const code = (error as NodeJS.ErrnoException).code;
  const words = code === undefined ? undefined : SYSTEM_WORDS[code];
  const path = (error as NodeJS.ErrnoException).path;
  if (words !== undefined) return path === undefined ? `${words} (${code})` : `${path}: ${words}`;
  const message = error.message.split('\n')[0]?.trim() ?? '';
  return message === '' ? error.name : message;
}
