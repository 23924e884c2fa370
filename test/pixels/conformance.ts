/** docs/conformance.md: what comes in, what is refused, whose pixels are whose; made by scripts/conformance.mjs. */
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { DicomError } from '../../shared/dicom/dicom-error.ts';
import { transferSyntax } from '../../shared/dicom/transfer-syntaxes.ts';
import { inspectObject, type Profile } from '../../shared/ingest/inspect.ts';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { CodecError } from '../../shared/pixels/errors.ts';
import { canDecode } from '../../shared/pixels/syntaxes.ts';
import { type ManifestFile, readManifest, readShared } from '../shared-material.ts';
import { type FileJudgement, judgeFile } from './judge-file.ts';

interface Line {
  readonly file: ManifestFile;
  readonly folder: string;
  readonly syntax: string;
  readonly current: string;
  readonly past: string;
  readonly judged?: FileJudgement;
  /** Why the pixels were not decoded. */
  readonly undecoded?: string;
}

const ACCEPTED = 'accepted';

async function verdictOf(file: ManifestFile, profile: Profile): Promise<{ code: string; syntax?: string }> {
  const verdict = await inspectObject(bufferSource(readShared(file.path)), { key: file.path, profile });
  const syntax = verdict.transferSyntaxUID;
  return { code: verdict.verdict === 'accepted' ? ACCEPTED : verdict.code, ...(syntax && { syntax }) };
}

async function lineOf(pool: CodecPool, file: ManifestFile): Promise<Line> {
  const current = await verdictOf(file, 'current');
  const past = await verdictOf(file, '2024');
  const syntax = current.syntax ?? file.transferSyntaxUID ?? '';
  const line = { file, folder: file.path.split('/')[0]!, syntax, current: current.code, past: past.code };
  if (file.rows === null || file.bitsAllocated === null) return line;
  if (syntax && !canDecode(syntax)) return { ...line, undecoded: 'no decoder: kept as it is' };
  try {
    return { ...line, judged: await judgeFile(pool, file) };
  } catch (error) {
    if (error instanceof DicomError || error instanceof CodecError) return { ...line, undecoded: error.code };
    throw error;
  }
}

/** The whole page. */
export async function conformancePage(): Promise<string> {
  const pool = createCodecPool({ workers: 2 });
  const lines: Line[] = [];
  for (const file of readManifest().files) lines.push(await lineOf(pool, file));
  const streams = await judgeStreams(pool);
  await pool.close();
  return [
    '# Conformance over the shared DICOM material',
    '',
    'Made by `node scripts/conformance.mjs`; the truths are those of independent decoders (dcmtk, gdcm, OpenJPEG), as',
    'the manifest of the material gives them. Frames are counted where the pixels were decoded. `exact`: the CRC-32 of',
    'the frame is that of the independent decoder. `within`: a lossy frame whose smallest, largest and mean values are',
    'those of the independent decoder up to rounding.',
    '',
    '## By transfer syntax',
    '',
    ...table('transfer syntax', lines, ({ syntax }) => nameOf(syntax)),
    '',
    '## By folder',
    '',
    ...table('folder', lines, ({ folder }) => folder),
    '',
    '## Bare HTJ2K codestreams',
    '',
    streams,
    '',
    '## Refused by the inspection',
    '',
    ...refusals(lines),
    '',
    '## Pixels that are not decoded',
    '',
    ...undecoded(lines),
    '',
    '## Where the native bytes differ from ours, and why',
    '',
    ...forms(lines),
    '',
  ].join('\n');
}

function nameOf(syntax: string): string {
  return syntax ? `${transferSyntax(syntax)?.name ?? 'unknown'} (\`${syntax}\`)` : 'none said';
}

function table(title: string, lines: readonly Line[], keyOf: (line: Line) => string): string[] {
  const groups = new Map<string, Line[]>();
  for (const line of lines) groups.set(keyOf(line), [...(groups.get(keyOf(line)) ?? []), line]);
  const rows = [...groups.entries()]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([key, group]) => row(key, group));
  return [
    `| ${title} | files | accepted today | accepted 2024 | frames | exact | within | without a truth | different |`,
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
    row('all', lines),
  ];
}

function row(key: string, lines: readonly Line[]): string {
  const sum = (field: 'frames' | 'exact' | 'within' | 'untold' | 'different') =>
    lines.reduce((total, { judged }) => total + (judged?.[field] ?? 0), 0);
  const accepted = (field: 'current' | 'past') => lines.filter((line) => line[field] === ACCEPTED).length;
  const cells = [
    lines.length,
    accepted('current'),
    accepted('past'),
    sum('frames'),
    sum('exact'),
    sum('within'),
  ];
  return `| ${key} | ${[...cells, sum('untold'), sum('different')].join(' | ')} |`;
}

function refusals(lines: readonly Line[]): string[] {
  const refused = lines.filter(({ current, past }) => current !== ACCEPTED || past !== ACCEPTED);
  return [
    '| file | today | 2024 |',
    '|---|---|---|',
    ...refused.map(({ file, current, past }) => `| ${file.path} | ${current} | ${past} |`),
  ];
}

function undecoded(lines: readonly Line[]): string[] {
  const told = lines.filter((line) => line.undecoded);
  return [
    '| file | why | what the manifest says |',
    '|---|---|---|',
    ...told.map(
      ({ file, undecoded: why }) =>
        `| ${file.path} | ${why} | ${(file.truthNote ?? '').replaceAll('|', '/')} |`,
    ),
  ];
}

const FORMS: Readonly<Record<string, string>> = {
  'bits packed': 'one bit a pixel: the file packs eight into a byte, we give a byte a pixel',
  'in BitsAllocated, sign extended': 'fewer stored than allocated bits: our samples take fewer bytes',
  'in BitsAllocated, masked':
    'signed samples of fewer bits than allocated: the truth leaves the upper bits zero, we extend the sign',
  planes: 'colour by plane in the file, by pixel with us',
  '4:2:2': 'chrominance shared by two pixels in the file, a triple a pixel with us',
  'raw words': 'bits outside of BitsStored are set in the file: masked with us, and a warning',
  'colours not converted': 'the truth is that of the decoder told to leave YBR_FULL as it is, as we do',
};

function forms(lines: readonly Line[]): string[] {
  return Object.entries(FORMS).map(([form, why]) => {
    const files = lines.filter(({ judged }) => judged?.forms.includes(form)).map(({ file }) => file.path);
    return `- **${form}**: ${why}. ${files.length} files${files.length > 0 ? `: ${files.join(', ')}` : ''}.`;
  });
}

async function judgeStreams(pool: CodecPool): Promise<string> {
  const { codestreams } = readManifest();
  let exact = 0;
  for (const stream of codestreams) {
    const proof = await pool.verify(readShared(stream.path));
    if (proof.crc32 === (stream.decoded as { crc32: number }).crc32) exact++;
  }
  return `${exact} of ${codestreams.length} decode to the CRC-32 of OpenJPEG.`;
}
