/** The command line: only the table of commands, options and exit codes; each command is a file beside this one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { packageRoot } from '../local/world/package-root.ts';
import { CommandFailed, EXIT, oneLine } from './errors.ts';
import { createTerminal, type Terminal } from './terminal.ts';

/** Parses `argv` (as process.argv), runs the command and returns the exit code. Never throws. */
export async function main(argv: readonly string[], terminal: Terminal = createTerminal()): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = commands(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...argv]);
    return exitCode;
  } catch (error) {
    terminal.endProgress();
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    terminal.say(`isocenter: ${oneLine(error)}`);
    if (process.env.ISOCENTER_DEBUG && error instanceof Error) terminal.say(error.stack ?? '');
    return error instanceof CommandFailed ? error.exitCode : EXIT.failed;
  }
}

const data = () =>
  new Option(
    '--data <dir>',
    'where the local world keeps its data (default: $ISOCENTER_DATA, else ./.isocenter)',
  );
const json = () => new Option('--json', 'one JSON document on stdout, nothing else');
const stack = () => new Option('--stack <name>', 'a deployed stack instead of the local world');
const behaviour = () =>
  new Option('--behaviour <year>', 'which HealthImaging to be like').choices(['current', '2024']);
const port = (what: string) => new Option('--port <n>', what).argParser(parsePort);

function parsePort(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535)
    throw new InvalidArgumentError('expected a port, 0 to 65535.');
  return value;
}

function commands(terminal: Terminal, done: (exitCode: number) => void): Command {
  const program = new Command('isocenter')
    .description('DICOM into AWS HealthImaging: every frame proven, every file accounted for')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.result(text.trimEnd()),
      outputError: (text) =>
        terminal.say(
          `isocenter: ${text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' ')}`,
        ),
    })
    .showSuggestionAfterError(true);

  program
    .command('up')
    .description('run the local world until it is stopped')
    .addOption(data())
    .addOption(port('first of the ports: console, HealthImaging, S3, Step Functions (default: 4080)'))
    .addOption(behaviour())
    .option('--watch <dir>', 'upload files that are dropped into this folder; they stay there')
    .option('--demo', 'ingest the generated demonstration first')
    .addOption(
      new Option('--once', 'with --demo: stop after it, with the exit code of its report').implies({
        demo: true,
      }),
    )
    .action(async (options) => done(await (await import('./up.ts')).up(options, terminal)));

  program
    .command('ingest')
    .description('upload files, folders or an s3:// prefix, wait, and tell the outcome of each object')
    .argument('<path...>', 'files, folders, or one s3://bucket/prefix')
    .option(
      '--upload <name>',
      'name of the upload: the first part of its keys (default: time and a random part)',
    )
    .option('--report <file>', 'also write the report to this file')
    .addOption(json())
    .addOption(data())
    .addOption(stack())
    .action(async (paths, options) =>
      done(await (await import('./ingest.ts')).ingest(paths, options, terminal)),
    );

  program
    .command('status')
    .description('what runs, what ran, what waits and what needs attention')
    .addOption(json())
    .addOption(data())
    .addOption(stack())
    .action(async (options) => done(await (await import('./status.ts')).status(options, terminal)));

  program
    .command('report')
    .description('one report again')
    .argument('[execution]', 'id of the execution (default: the latest)')
    .addOption(json())
    .addOption(data())
    .addOption(stack())
    .action(async (execution, options) =>
      done(await (await import('./report.ts')).report(execution, options, terminal)),
    );

  program
    .command('retry')
    .description('put rejected and failed objects back into the inbox, and follow what comes')
    .argument('<execution>', 'id of the execution')
    .option('--code <code>', 'only those with this code of the report')
    .addOption(json())
    .addOption(data())
    .addOption(stack())
    .action(async (execution, options) =>
      done(await (await import('./retry.ts')).retry(execution, options, terminal)),
    );

  program
    .command('cancel')
    .description('stop an execution; its objects stay in the inbox')
    .argument('<execution>', 'id of the execution')
    .addOption(data())
    .addOption(stack())
    .action(async (execution, options) =>
      done(await (await import('./cancel.ts')).cancel(execution, options, terminal)),
    );

  program
    .command('verify')
    .description('prove again, frame by frame, what a data store holds; any HealthImaging, any time')
    .argument('[datastore]', "id of the data store (default: the local world's)")
    .option('--image-set <id>', 'only this image set')
    .option('--series <uid>', 'only image sets of this Series Instance UID')
    .option('--study <uid>', 'only image sets of this Study Instance UID')
    .addOption(
      new Option('--sample <percent>', 'of the frames, such as 10%')
        .argParser(parsePercent)
        .default(100, '100%'),
    )
    .option('--seed <text>', 'equal seeds choose equal frames', 'isocenter')
    .addOption(data())
    .addOption(stack())
    .option('--endpoint <url>', 'a HealthImaging-compatible endpoint instead of the local world')
    .option('--region <name>', 'AWS HealthImaging in this region instead of the local world')
    .option('--tag', 'tag image sets that differ with isocenter:unverified, as an ingest does')
    .option('--resume <file>', 'note what is done in this file; what it lists as proven is not done again')
    .addOption(json())
    .addHelpText(
      'after',
      `
Each frame is decoded and compared with its checksum, and its header with the metadata; frames that are kept as they came
are compared by their encoded bytes. For a local world or a stack the ledger of imports says which instances and frames
must be there, and where the staged copy of each is, while it is kept: pixels and metadata are compared with it too.
Exit 1 on any mismatch, or a frame that cannot be had; 2 where nothing differs and something with pixels cannot be proven
(an object kept as one blob, a frame without a checksum and without its source): it is named.`,
    )
    .action(async (datastore, options) =>
      done(await (await import('./verify.ts')).verify(datastore, options, terminal)),
    );

  program
    .command('resolve')
    .description(
      'decide about a series whose image sets were kept apart or whose objects were held, or undo merges',
    )
    .argument('[series]', 'Series Instance UID')
    .option('--show', 'its image sets and what is held back from it, by the labels of their patients')
    .option('--values', 'show names and numbers of the patients too, on the terminal')
    .option(
      '--keep-apart',
      'nothing merges its image sets by itself any more; what was held as another patient comes in, kept apart',
    )
    .option(
      '--patient <label>',
      'what was held is of one patient with what is stored, and this one of its identities is right',
    )
    .option('--merge-into <id>', 'bring all its image sets into this one, whose patient and study stand')
    .option(
      '--replace <sop>',
      'the refused object under this SOP Instance UID takes the place of the stored one',
    )
    .option('--undo <execution>', 'undo the merges of an execution, or an earlier decision')
    .option('--reason <text>', 'why; it is recorded')
    .option('--yes', 'the second yes, where the image sets are of differing patients')
    .addOption(stack())
    .option('--datastore <id>', 'of a stack that has imported into several data stores')
    .addOption(data())
    .action(async (series, options) =>
      done(await (await import('./resolve.ts')).resolve(series, options, terminal)),
    );

  program
    .command('inspect')
    .description('what an ingest would reject, and why; nothing is uploaded')
    .argument('<path...>', 'files or folders')
    .addOption(new Option('--profile <year>', 'whose limits').choices(['current', '2024']).default('current'))
    .addOption(json())
    .action(async (paths, options) =>
      done(await (await import('./inspect.ts')).inspect(paths, options, terminal)),
    );

  program
    .command('healthimaging')
    .description('only the HealthImaging-compatible server')
    .addOption(port('port (default: 4081)'))
    .option('--data <dir>', 'keep its data here (default: a temporary folder)')
    .addOption(behaviour())
    .option('--s3-endpoint <url>', 'the S3 that import jobs read from (default: $AWS_ENDPOINT_URL_S3)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1; others need --credentials)')
    .option('--seed <dir>', 'start with the P10 files of this folder imported')
    .option('--credentials <file>', 'verify signatures against the identities of this JSON file')
    .addOption(new Option('--throttle <rates>', 'request rates').choices(['off', 'aws']))
    .addOption(
      amount(
        '--split-instances <n>',
        'with --behaviour 2024: at most so many instances of a series in an image set',
      ),
    )
    .option('--faults <file>', 'let go wrong what this JSON file says')
    .option('--audit <file>', 'append a CloudTrail-shaped line a call to this file')
    .action(async (options) =>
      done(await (await import('./healthimaging.ts')).healthimaging(options, terminal)),
    );

  program
    .command('doctor')
    .description('what could be in the way on this machine')
    .addOption(json())
    .addOption(data())
    .action(async (options) => done(await (await import('./doctor.ts')).doctor(options, terminal)));

  program
    .command('env')
    .description('export lines that point AWS SDKs at the running local world')
    .addOption(json())
    .addOption(data())
    .action(async (options) => done(await (await import('./env.ts')).env(options, terminal)));

  program
    .command('estimate')
    .description('what so many instances will ask of AWS and cost, from counted runs of the local world')
    .argument('[path]', 'a folder to count instead: its files and bytes')
    .addOption(amount('--instances <n>', 'how many (default: 1000000)'))
    .addOption(amount('--frames <n>', 'frames an instance').default(1))
    .addOption(amount('--bytes <n>', 'bytes an instance (default: 525000, a CT slice)'))
    .addOption(amount('--per-upload <n>', 'instances an upload').default(1000))
    .addOption(amount('--per-series <n>', 'instances a series').default(250))
    .addOption(amount('--retention-days <n>', 'how long staged copies are kept').default(90))
    .addOption(
      amount(
        '--healthimaging-price <dollars>',
        'a GB-month of HealthImaging storage, when not the list price',
      ),
    )
    .addOption(json())
    .action(async (path, options) =>
      done(await (await import('./estimate.ts')).estimateCost(path, options, terminal)),
    );

  return program;
}

const amount = (flags: string, what: string) => new Option(flags, what).argParser(parseAmount);

function parseAmount(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?(e\d+)?$/.test(text) || !(value > 0) || !Number.isFinite(value))
    throw new InvalidArgumentError('expected a number over 0.');
  return value;
}

function parsePercent(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (!/^\d+(\.\d+)?%?$/.test(text) || !(value > 0) || value > 100)
    throw new InvalidArgumentError('expected a percentage over 0, up to 100%.');
  return value;
}

function version(): string {
  const manifest = readFileSync(join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
