/**
 * Codestreams of another encoder (ojph_compress 0.9), in layouts that ours never writes: decoded as OpenJPEG decodes
 * them, or refused. OpenJPEG's pixels are the truth also where ojph_compress has faults of its own.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodecError } from '../../shared/pixels/errors.ts';
import { verifyFrame } from '../../shared/pixels/frame-operations.ts';
import { seeded } from './material.ts';
import { nodeTools } from './node-tools.ts';
import { isInstalled, openJpegDecode, openJphEncode, scratchFolder } from './outside-tools.ts';

const hasTools =
  isInstalled('opj_decompress', 'libopenjp2-tools') && isInstalled('ojph_compress', 'openjph-tools');
const tools = nodeTools();
let folder: string;
beforeAll(() => {
  folder = scratchFolder();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function image(components: 1 | 3, bits: number) {
  const [columns, rows] = [131, 77];
  const random = seeded(components * 100 + bits);
  const top = 2 ** bits - 1;
  const samples = Array.from({ length: columns * rows * components }, (_, index) => {
    if (index % 89 === 0) return index % 2 ? 0 : top;
    return Math.floor((0.5 + 0.4 * Math.sin(index / 50) + 0.1 * (random() - 0.5)) * top);
  });
  return { columns, rows, components, bits, samples };
}

const lossless = ['-reversible', 'true'];
const cases: [name: string, components: 1 | 3, bits: number, options: string[], isExact: boolean][] = [
  ['8 bits', 1, 8, lossless, true],
  ['10 bits', 1, 10, lossless, true],
  ['16 bits', 1, 16, lossless, true],
  ['RGB 8 bits with the transform', 3, 8, [...lossless, '-colour_trans', 'true'], true],
  ['RGB 8 bits without it', 3, 8, [...lossless, '-colour_trans', 'false'], true],
  ['RGB 12 bits with the transform', 3, 12, [...lossless, '-colour_trans', 'true'], true],
  ['RGB 12 bits without it', 3, 12, [...lossless, '-colour_trans', 'false'], true],
  ['RGB 16 bits with the transform', 3, 16, [...lossless, '-colour_trans', 'true'], true],
  ['RGB 16 bits without it', 3, 16, [...lossless, '-colour_trans', 'false'], true],
  ['no decompositions', 1, 12, [...lossless, '-num_decomps', '0'], true],
  ['tiles', 1, 12, [...lossless, '-tile_size', '{50,40}'], true],
  [
    'tiles of RGB without the transform',
    3,
    8,
    [...lossless, '-colour_trans', 'false', '-tile_size', '{50,40}'],
    true,
  ],
  ['precincts', 1, 12, [...lossless, '-precincts', '{64,64}'], true],
  ['precincts of RGB', 3, 8, [...lossless, '-colour_trans', 'false', '-precincts', '{64,64}'], true],
  ['small code-blocks', 1, 12, [...lossless, '-block_size', '{16,16}'], true],
  ['an offset', 1, 12, [...lossless, '-image_offset', '{3,5}'], true],
  ...['LRCP', 'RLCP', 'PCRL', 'CPRL'].map((order): (typeof cases)[number] => [
    order,
    3,
    8,
    [...lossless, '-colour_trans', 'false', '-prog_order', order],
    true,
  ]),
  ['lossy 8 bits', 1, 8, ['-qstep', '0.01'], false],
  ['lossy 12 bits', 1, 12, ['-qstep', '0.001'], false],
  ['lossy RGB', 3, 8, ['-qstep', '0.01', '-colour_trans', 'true'], false],
];

describe.skipIf(!hasTools)('HTJ2K of another encoder, judged by OpenJPEG', () => {
  it.each(cases)('%s', async (_name, components, bits, options, isExact) => {
    const codestream = openJphEncode(folder, image(components, bits), options);
    const width = bits <= 8 ? 1 : 2;
    const truth = openJpegDecode(folder, codestream, components, width);
    const proof = await verifyFrame(tools, codestream).catch((error) => error);
    if (proof instanceof CodecError) return expect(proof.code).toBe('FrameUnsupported');
    expect(proof).toMatchObject({ samplesPerPixel: components, bitsStored: bits, signed: false });
    if (isExact) expect(proof.crc32).toBe(tools.crc32(truth));
    else expect(Math.abs(await meanDifference(codestream, truth, width))).toBeLessThan(0.5);
  });
});

async function meanDifference(codestream: Uint8Array, truth: Uint8Array, width: number): Promise<number> {
  const { decodeCodestream } = await import('../../shared/pixels/decode-source.ts');
  const { openCodestream } = await import('../../shared/pixels/htj2k/codestream.ts');
  return decodeCodestream(tools.modules, openCodestream(codestream), 0, ({ pixels }) => {
    const [ours, theirs] = [new DataView(pixels.slice().buffer), new DataView(truth.slice().buffer)];
    let sum = 0;
    for (let at = 0; at < truth.length; at += width)
      sum +=
        width === 1
          ? ours.getUint8(at) - theirs.getUint8(at)
          : ours.getUint16(at, true) - theirs.getUint16(at, true);
    return sum / (truth.length / width);
  });
}
