/** Where a command writes: results on stdout, everything else on stderr, a moving bar only on a terminal. */
import pc from 'picocolors';

export interface Terminal {
  /** A line of the result, on stdout. */
  result(line: string): void;
  /** A line for the person, on stderr; a bar that stands there is drawn again below it. */
  say(line: string): void;
  /** Shows how far something is: a bar on a terminal, else a line at most every few seconds. */
  progress(line: string): void;
  /** Takes the bar away; a last line may stay. */
  endProgress(line?: string): void;
  readonly colours: ReturnType<typeof pc.createColors>;
  /** Columns of the terminal, 100 where there is none. */
  readonly columns: number;
}

export interface Streams {
  readonly stdout: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  readonly stderr: { write(text: string): unknown; isTTY?: boolean; columns?: number };
}

/** Names and keys may hold anything: a line feed, or what moves the cursor and hides what was written before. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A reader that has seen enough (`| head`) ends the command as it ends others: quietly, as SIGPIPE would. */
const SIGPIPE_EXIT = 141;

function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(SIGPIPE_EXIT);
    throw error;
  });
}

/** A log keeps the figures; a bar is for eyes that watch it move. */
const withoutBar = (line: string) => line.replace(/[█░]+ {2}/, '');

/** Milliseconds between progress lines where there is no terminal. */
const QUIET_EVERY = 5_000;

export function createTerminal(streams: Streams = process, now: () => number = Date.now): Terminal {
  if (streams === process) endWithReader();
  const moving = streams.stderr.isTTY === true;
  let bar = '';
  let lastAt: number | undefined;
  const columns = () => streams.stderr.columns ?? streams.stdout.columns ?? 100;
  const wipe = () => {
    if (bar !== '') streams.stderr.write('\r\x1b[K');
  };
  return {
    result: (line) => {
      wipe();
      streams.stdout.write(`${line}\n`);
      if (bar !== '') streams.stderr.write(bar);
    },
    say: (line) => {
      wipe();
      streams.stderr.write(`${line}\n${bar}`);
    },
    progress: (line) => {
      if (moving) {
        wipe();
        bar = line.slice(0, columns() - 1);
        streams.stderr.write(bar);
        return;
      }
      // Without a terminal: nothing for what is over soon, else a line now and then.
      lastAt ??= now();
      if (now() - lastAt < QUIET_EVERY) return;
      lastAt = now();
      streams.stderr.write(`${withoutBar(line)}\n`);
    },
    endProgress: (line) => {
      wipe();
      bar = '';
      lastAt = undefined;
      if (line !== undefined) streams.stderr.write(`${moving ? line : withoutBar(line)}\n`);
    },
    colours: pc.createColors(streams.stdout.isTTY === true && pc.isColorSupported),
    columns: columns(),
  };
}
