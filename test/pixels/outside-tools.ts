/** Programs of other makers, as judges: OpenJPEG decodes, OpenJPH encodes. Absent ones skip their tests, and say so. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function isInstalled(program: string, packageName: string): boolean {
  try {
    execFileSync(program, ['-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') return true;
    console.warn(`skipped: ${program} (${packageName}) is not installed`);
    return false;
  }
}

/** A folder for the programs' files; the caller removes it. */
export const scratchFolder = () => mkdtempSync(join(tmpdir(), 'isocenter-pixels-'));

/** opj_decompress to raw little-endian samples, interleaved; signed samples are masked to their precision. */
export function openJpegDecode(
  folder: string,
  codestream: Uint8Array,
  components: number,
  width: number,
): Uint8Array {
  const [input, output] = [join(folder, 'judged.j2k'), join(folder, 'judged.rawl')];
  writeFileSync(input, codestream);
  execFileSync('opj_decompress', ['-i', input, '-o', output, '-quiet'], { stdio: 'ignore' });
  const planes = readFileSync(output);
  const samples = planes.length / width / components;
  const out = new Uint8Array(planes.length);
  for (let c = 0; c < components; c++)
    for (let i = 0; i < samples; i++)
      for (let b = 0; b < width; b++)
        out[(i * components + c) * width + b] = planes[(c * samples + i) * width + b]!;
  return out;
}

/** ojph_compress of a PGM or PPM (big-endian samples) with the given options. */
export function openJphEncode(
  folder: string,
  image: { columns: number; rows: number; components: 1 | 3; bits: number; samples: readonly number[] },
  options: readonly string[],
): Uint8Array {
  const extension = image.components === 1 ? 'pgm' : 'ppm';
  const [input, output] = [join(folder, `made.${extension}`), join(folder, 'made.j2c')];
  const header = `P${image.components === 1 ? 5 : 6}\n${image.columns} ${image.rows}\n${2 ** image.bits - 1}\n`;
  const bytes = image.samples.flatMap((value) => (image.bits <= 8 ? [value] : [value >> 8, value & 0xff]));
  writeFileSync(input, Buffer.concat([Buffer.from(header, 'latin1'), Uint8Array.from(bytes)]));
  execFileSync('ojph_compress', ['-i', input, '-o', output, ...options], { stdio: 'ignore' });
  return new Uint8Array(readFileSync(output));
}

/** opj_compress of raw planes (little endian, `width` bytes a sample) with the given options. */
export function openJpegEncode(
  folder: string,
  image: { columns: number; rows: number; components: number; bits: number; signed: boolean },
  planes: Uint8Array,
  options: readonly string[],
): Uint8Array {
  const { columns, rows, components, bits, signed } = image;
  const [input, output] = [join(folder, 'made.rawl'), join(folder, 'made.j2k')];
  writeFileSync(input, planes);
  const format = `${columns},${rows},${components},${bits},${signed ? 's' : 'u'}`;
  execFileSync('opj_compress', ['-i', input, '-o', output, '-F', format, ...options], { stdio: 'ignore' });
  return new Uint8Array(readFileSync(output));
}
