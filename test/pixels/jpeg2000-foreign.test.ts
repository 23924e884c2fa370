/**
 * JPEG 2000 of another encoder (opj_compress), in every layout that DICOM allows: decoded as opj_decompress decodes it.
 * The part 2 syntaxes are tested with part 1 codestreams that say part 2 in their capabilities (Rsiz).
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CodecError } from '../../shared/pixels/errors.ts';
import { decodeFrame, transcodeFrame, verifyFrame } from '../../shared/pixels/frame-operations.ts';
import { describeImage, randomPixels } from './material.ts';
import { nodeTools } from './node-tools.ts';
import { isInstalled, openJpegDecode, openJpegEncode, scratchFolder } from './outside-tools.ts';

const hasTools =
  isInstalled('opj_compress', 'libopenjp2-tools') && isInstalled('opj_decompress', 'libopenjp2-tools');
const tools = nodeTools();
const PREFIX = '1.2.840.10008.1.2.4';
let folder: string;
beforeAll(() => {
  folder = scratchFolder();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function make(components: number, bits: number, signed: boolean, options: readonly string[], syntax = '90') {
  const description = describeImage({
    rows: 71,
    columns: 97,
    samplesPerPixel: components,
    bitsStored: bits,
    signed,
    photometricInterpretation: components === 3 ? 'RGB' : 'MONOCHROME2',
    transferSyntaxUID: `${PREFIX}.${syntax}`,
  });
  const width = bits <= 8 ? 1 : 2;
  const pixels = randomPixels(description, components * 100 + bits);
  const planes = new Uint8Array(pixels.length);
  const samples = pixels.length / width / components;
  for (let c = 0; c < components; c++)
    for (let i = 0; i < samples; i++)
      for (let b = 0; b < width; b++)
        planes[(c * samples + i) * width + b] = pixels[(i * components + c) * width + b]!;
  const image = { columns: 97, rows: 71, components, bits, signed };
  const encoded = openJpegEncode(folder, image, planes, ['-n', '4', ...options]);
  const truth = openJpegDecode(folder, encoded, components, width);
  return {
    description,
    pixels,
    encoded,
    truth: signed ? signExtend(truth, bits, width) : truth,
    source: { encoded, transferSyntaxUID: description.transferSyntaxUID, description },
  };
}

/** opj_decompress writes signed samples masked to their bits. */
function signExtend(bytes: Uint8Array, bits: number, width: number): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  for (let at = 0; at < out.length; at += width) {
    const value = width === 1 ? view.getUint8(at) : view.getUint16(at, true);
    const extended = (value << (32 - bits)) >> (32 - bits);
    if (width === 1) view.setInt8(at, extended);
    else view.setInt16(at, extended, true);
  }
  return out;
}

const layouts: [components: number, bits: number, signed: boolean, options: string[]][] = [
  [1, 8, false, []],
  [1, 8, true, []],
  [1, 10, false, []],
  [1, 12, true, []],
  [1, 16, false, []],
  [1, 16, true, []],
  [2, 8, false, []],
  [2, 8, true, []],
  [2, 12, false, []],
  [2, 16, true, []],
  [3, 8, false, ['-mct', '0']],
  [3, 8, false, ['-mct', '1']],
  [3, 8, true, ['-mct', '0']],
  [3, 10, false, ['-mct', '1']],
  [3, 12, false, ['-mct', '0']],
  [3, 12, true, ['-mct', '1']],
  [3, 16, false, ['-mct', '0']],
  [3, 16, false, ['-mct', '1']],
  [3, 16, true, ['-mct', '0']],
  [4, 8, false, []],
  [4, 12, false, []],
  [4, 16, true, []],
];

const structures: [name: string, options: string[]][] = [
  ['tiles', ['-t', '40,30']],
  ['an offset of the image', ['-d', '3,5']],
  ['an offset of image and tiles', ['-d', '3,5', '-T', '2,2', '-t', '40,30']],
  ['SOP and EPH markers', ['-SOP', '-EPH']],
  ['all code-block styles', ['-M', '63']],
  ['a region of interest', ['-ROI', 'c=0,U=3']],
  ['small code-blocks and precincts', ['-b', '32,32', '-c', '[64,64]']],
  ['packet lengths', ['-PLT']],
  ['tile-part lengths', ['-TLM']],
  ['a tile-part a resolution', ['-TP', 'R']],
  ['layers', ['-r', '20,10,1']],
  ['a change of progression', ['-POC', 'T0=0,0,1,2,3,LRCP/T0=0,0,1,4,3,RLCP']],
  ...['LRCP', 'RLCP', 'RPCL', 'PCRL', 'CPRL'].map((order): [string, string[]] => [order, ['-p', order]]),
];

describe.skipIf(!hasTools)('JPEG 2000 of another encoder, judged by opj_decompress', () => {
  it.each(layouts)('%i components of %i bits, signed %s, %j', async (components, bits, signed, options) => {
    const { source, truth, pixels } = make(components, bits, signed, options);
    const decoded = await decodeFrame(tools, source);
    expect(decoded.crc32).toBe(tools.crc32(truth));
    expect(decoded.crc32).toBe(tools.crc32(pixels));
  });

  it.each(layouts)(
    'stores %i components of %i bits, signed %s, %j',
    async (components, bits, signed, options) => {
      const { source, pixels } = make(components, bits, signed, options);
      const stored = await transcodeFrame(tools, source);
      expect(stored.crc32).toBe(tools.crc32(pixels));
      const proof = await verifyFrame(tools, stored.codestream, { source });
      expect(proof).toMatchObject({ source: 'equal', bitsStored: bits, signed, samplesPerPixel: components });
    },
  );

  it.each(structures)('%s', async (_name, options) => {
    for (const components of [1, 3]) {
      const { source, truth } = make(components, 12, false, options);
      expect((await decodeFrame(tools, source)).crc32).toBe(tools.crc32(truth));
    }
  });

  it('lossy, several components: within the rounding of one decoder and another', async () => {
    for (const [components, bits] of [
      [3, 8],
      [3, 16],
      [4, 12],
    ] as const) {
      const { source, truth } = make(components, bits, false, ['-I', '-r', '8'], '91');
      const { pixels } = await decodeFrame(tools, source);
      expect(largestDifference(pixels, truth, bits <= 8 ? 1 : 2)).toBeLessThanOrEqual(1);
    }
  });

  it('part 2 in name: a codestream of part 1 whose Rsiz says extensions', async () => {
    for (const syntax of ['92', '93'])
      for (const components of [1, 3, 4]) {
        const made = make(components, 12, false, [], syntax);
        const encoded = made.encoded.slice();
        // T.801 A.2.1: the top bit of Rsiz says that part 2 is needed.
        encoded[6] = 0x80;
        const decoded = await decodeFrame(tools, { ...made.source, encoded });
        expect(decoded.crc32).toBe(tools.crc32(made.truth));
      }
  });

  it('components of differing precision or sampling are refused, not guessed', async () => {
    const { source, encoded } = make(3, 12, false, ['-mct', '0']);
    const [precision, sampling] = [encoded.slice(), encoded.slice()];
    precision[45] = 7;
    sampling[46] = 2;
    for (const damaged of [precision, sampling]) {
      const refused = decodeFrame(tools, { ...source, encoded: damaged });
      await expect(refused).rejects.toMatchObject({ name: 'CodecError', code: 'FrameUnsupported' });
    }
  });

  it('a codestream of several components that is cut short is damage, at any cut', async () => {
    const { source, encoded } = make(3, 16, false, []);
    for (const share of [0.3, 0.6, 0.9, 0.99]) {
      const cut = encoded.slice(0, Math.floor(encoded.length * share));
      const error = await decodeFrame(tools, { ...source, encoded: cut }).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(CodecError);
    }
  });
});

function largestDifference(a: Uint8Array, b: Uint8Array, width: number): number {
  expect(a.length).toBe(b.length);
  const [left, right] = [new DataView(a.slice().buffer), new DataView(b.slice().buffer)];
  let largest = 0;
  for (let at = 0; at < a.length; at += width) {
    const difference =
      width === 1
        ? left.getUint8(at) - right.getUint8(at)
        : left.getUint16(at, true) - right.getUint16(at, true);
    largest = Math.max(largest, Math.abs(difference));
  }
  return largest;
}
