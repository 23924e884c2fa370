/**
 * JPEG, JPEG-LS and RLE objects of another maker (dcmcjpeg, dcmcjpls, dcmcrle) and streams that no tool here writes:
 * decoded as dcmdjpeg, dcmdjpls and dcmdrle decode them.
 */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asSamples } from '../../shared/pixels/canonical.ts';
import { type ImageDescription, sampleWidth } from '../../shared/pixels/description.ts';
import { decodeFrame } from '../../shared/pixels/frame-operations.ts';
import { interleavePlanes } from '../../shared/pixels/interleave.ts';
import { framesOf, imageObject, nativeFrames, throughDcmtk } from './dcmtk-tools.ts';
import { baselineJpeg, losslessJpeg } from './jpeg-writer.ts';
import { describeImage, randomPixels, seeded } from './material.ts';
import { nodeTools } from './node-tools.ts';
import { isInstalled, scratchFolder } from './outside-tools.ts';

const hasTools = ['dcmcjpeg', 'dcmdjpeg', 'dcmcjpls', 'dcmdjpls', 'dcmcrle', 'dcmdrle'].every((program) =>
  isInstalled(program, 'dcmtk'),
);
const tools = nodeTools();
const PREFIX = '1.2.840.10008.1.2.4';
let folder: string;
beforeAll(() => {
  folder = scratchFolder();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Shape {
  readonly samples?: number;
  readonly bits: number;
  readonly allocated?: number;
  readonly signed?: boolean;
  readonly planar?: 0 | 1;
  readonly frames?: number;
  readonly photometric?: string;
}

function shapeOf({
  samples = 1,
  bits,
  allocated,
  signed = false,
  planar = 0,
  frames = 1,
  photometric,
}: Shape) {
  return describeImage({
    rows: 31,
    columns: 45,
    samplesPerPixel: samples,
    bitsStored: bits,
    bitsAllocated: allocated ?? (bits <= 8 ? 8 : bits <= 16 ? 16 : 32),
    signed,
    planarConfiguration: planar,
    frames,
    photometricInterpretation: photometric ?? (samples === 3 ? 'RGB' : 'MONOCHROME2'),
  });
}

/** An uncompressed object of seeded pixels; 12 in 16 bits and the like are widened to the words of the file. */
function nativeObject(description: ImageDescription, seed: number): Uint8Array {
  const { frames, bitsStored, bitsAllocated } = description;
  const whole = randomPixels({ ...description, rows: description.rows * frames }, seed);
  const values = asSamples(whole, sampleWidth(bitsStored), description.signed);
  const Words = bitsAllocated === 8 ? Uint8Array : bitsAllocated === 16 ? Uint16Array : Uint32Array;
  return imageObject(description, new Uint8Array(Words.from(values).buffer));
}

interface Judgement {
  readonly largest: number;
  readonly frames: number;
}

/** Our decoding of every frame against the judge's. */
async function judged(encoded: Uint8Array, judge: string, options: readonly string[]): Promise<Judgement> {
  return compared(encoded, await nativeFrames(throughDcmtk(folder, judge, encoded, options)));
}

/** dcmdjpls 3.6.7 cannot read all that dcmcjpls writes: where it gives up, a lossless object has its source as a truth. */
function decodedOrNot(encoded: Uint8Array, judge: string): Uint8Array | undefined {
  try {
    return throughDcmtk(folder, judge, encoded, []);
  } catch {
    return undefined;
  }
}

/** An identical frame differs by 0. */
async function compared(encoded: Uint8Array, truth: readonly Uint8Array[]): Promise<Judgement> {
  const ours = await framesOf(encoded);
  expect(ours.length).toBe(truth.length);
  let largest = 0;
  for (const [index, frame] of ours.entries()) {
    const { pixels, bitsStored, signed } = await decodeFrame(tools, frame);
    expect(pixels.length).toBe(truth[index]!.length);
    const width = sampleWidth(bitsStored);
    const [mine, theirs] = [asSamples(pixels, width, signed), asSamples(truth[index]!, width, signed)];
    for (let at = 0; at < mine.length; at++) largest = Math.max(largest, Math.abs(mine[at]! - theirs[at]!));
  }
  return { largest, frames: ours.length };
}

const jpegLossless: [name: string, shape: Shape, options: string[]][] = [
  ['8 bits', { bits: 8 }, ['+e1']],
  ['8 bits signed', { bits: 8, signed: true }, ['+e1']],
  ['12 in 16 bits', { bits: 12 }, ['+e1']],
  ['12 in 16 bits signed', { bits: 12, signed: true }, ['+e1']],
  ['16 bits', { bits: 16 }, ['+e1']],
  ['16 bits signed', { bits: 16, signed: true }, ['+e1']],
  ['RGB', { bits: 8, samples: 3 }, ['+e1']],
  ['RGB of 16 bits', { bits: 16, samples: 3 }, ['+e1']],
  ['RGB by plane', { bits: 8, samples: 3, planar: 1 }, ['+e1']],
  ['YBR_FULL', { bits: 8, samples: 3, photometric: 'YBR_FULL' }, ['+e1']],
  ['palette', { bits: 8 }, ['+e1']],
  ['5 frames', { bits: 12, frames: 5 }, ['+e1']],
  ['5 frames in small fragments', { bits: 16, frames: 5 }, ['+e1', '+fs', '1']],
  ['5 frames without an offset table', { bits: 16, frames: 5 }, ['+e1', '-ot']],
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((sv): [string, Shape, string[]][] => [
    [`predictor ${sv}, 8 bits`, { bits: 8 }, ['+el', '+sv', String(sv)]],
    [`predictor ${sv}, 16 bits signed`, { bits: 16, signed: true }, ['+el', '+sv', String(sv)]],
    [`predictor ${sv}, RGB`, { bits: 8, samples: 3 }, ['+el', '+sv', String(sv)]],
  ]),
  ['point transform', { bits: 12 }, ['+e1', '+pt', '2']],
  ['12-bit process', { bits: 12 }, ['+e1', '+pl', '+bt']],
  ['16-bit process of 10 bits', { bits: 10 }, ['+e1', '+pl', '+bs']],
];

const jpegLossy: [name: string, shape: Shape, options: string[]][] = [
  ['baseline, grey', { bits: 8 }, ['+eb']],
  ['baseline, YBR 4:2:2', { bits: 8, samples: 3 }, ['+eb', '+s2']],
  ['baseline, YBR 4:4:4', { bits: 8, samples: 3 }, ['+eb', '+s4']],
  ['baseline, 4:2:2 as YBR_FULL', { bits: 8, samples: 3 }, ['+eb', '+n2']],
  ['baseline, 4:1:1 as YBR_FULL', { bits: 8, samples: 3 }, ['+eb', '+n1']],
  ['baseline, 4:1:1 as YBR_FULL_422', { bits: 8, samples: 3 }, ['+eb', '+np']],
  ['baseline, RGB', { bits: 8, samples: 3 }, ['+eb', '+cr']],
  ['baseline, 4 frames', { bits: 8, samples: 3, frames: 4 }, ['+eb', '+fs', '1']],
  ['extended, 8 bits', { bits: 8 }, ['+ee']],
  ['extended, 12 bits', { bits: 12 }, ['+ee', '+bt']],
  ['extended, 12 bits signed', { bits: 12, signed: true }, ['+ee', '+bt']],
  ['extended, colour', { bits: 8, samples: 3 }, ['+ee']],
  ['spectral selection', { bits: 8 }, ['+es']],
  ['spectral selection, 12 bits', { bits: 12 }, ['+es', '+bt']],
  ['progressive', { bits: 8, samples: 3 }, ['+ep']],
  ['progressive, 12 bits', { bits: 12 }, ['+ep', '+bt']],
];

const jpegLs: [name: string, shape: Shape, options: string[]][] = [
  ...[8, 10, 12, 16].flatMap((bits): [string, Shape, string[]][] => [
    [`${bits} bits`, { bits }, ['+el']],
    // The cooked encoder of 3.6.7 damages 8-bit scans of odd length.
    ...(bits > 8 ? [[`${bits} bits, cooked`, { bits }, ['+el', '+pc']] as [string, Shape, string[]]] : []),
    [`${bits} bits signed`, { bits, signed: true }, ['+el']],
    [`${bits} bits near-lossless`, { bits }, ['+en', '+md', '3']],
  ]),
  ...(['+il', '+is', '+in'] as const).flatMap((interleave): [string, Shape, string[]][] => [
    [`RGB, ${interleave}`, { bits: 8, samples: 3 }, ['+el', interleave]],
    [`RGB of 16 bits, ${interleave}`, { bits: 16, samples: 3 }, ['+el', interleave]],
    [`RGB of 12 bits, ${interleave}`, { bits: 12, samples: 3 }, ['+el', interleave, '+pc']],
    [`RGB by plane, ${interleave}`, { bits: 8, samples: 3, planar: 1 }, ['+el', interleave]],
    [`RGB near-lossless, ${interleave}`, { bits: 8, samples: 3 }, ['+en', '+md', '2', interleave]],
  ]),
  ['odd length padded with zero', { bits: 8 }, ['+el', '+pz']],
  ['other thresholds', { bits: 8 }, ['+el', '+t1', '5', '+t2', '9', '+t3', '30', '+rs', '32']],
  ['4 frames in small fragments', { bits: 16, frames: 4 }, ['+el', '+fs', '1']],
];

const rle: [name: string, shape: Shape][] = [
  ['8 bits', { bits: 8 }],
  ['12 in 16 bits signed', { bits: 12, signed: true }],
  ['16 bits', { bits: 16 }],
  ['32 bits', { bits: 32 }],
  ['32 bits signed', { bits: 32, signed: true }],
  ['RGB', { bits: 8, samples: 3 }],
  ['RGB by plane', { bits: 8, samples: 3, planar: 1 }],
  ['RGB of 16 bits', { bits: 16, samples: 3 }],
  ['RGB of 12 in 16 bits by plane', { bits: 12, samples: 3, planar: 1 }],
  ['4 frames', { bits: 16, frames: 4 }],
];

describe.skipIf(!hasTools)('objects of dcmtk, judged by dcmtk', () => {
  it.each(jpegLossless)('JPEG lossless, %s', async (_name, shape, options) => {
    const encoded = throughDcmtk(folder, 'dcmcjpeg', nativeObject(shapeOf(shape), 1), options);
    expect(await judged(encoded, 'dcmdjpeg', ['+cn'])).toEqual({ largest: 0, frames: shape.frames ?? 1 });
  });

  it.each(jpegLossy)('JPEG lossy, %s', async (_name, shape, options) => {
    const encoded = throughDcmtk(folder, 'dcmcjpeg', nativeObject(shapeOf(shape), 2), options);
    expect(await judged(encoded, 'dcmdjpeg', ['+cn'])).toEqual({ largest: 0, frames: shape.frames ?? 1 });
  });

  it.each(jpegLs)('JPEG-LS, %s', async (_name, shape, options) => {
    const source = nativeObject(shapeOf(shape), 3);
    const encoded = throughDcmtk(folder, 'dcmcjpls', source, options);
    const frames = shape.frames ?? 1;
    const truth = decodedOrNot(encoded, 'dcmdjpls') ?? source;
    expect(await compared(encoded, await nativeFrames(truth))).toEqual({ largest: 0, frames });
  });

  it.each(rle)('RLE, %s', async (_name, shape) => {
    const encoded = throughDcmtk(folder, 'dcmcrle', nativeObject(shapeOf(shape), 4), []);
    expect(await judged(encoded, 'dcmdrle', [])).toEqual({ largest: 0, frames: shape.frames ?? 1 });
  });
});

describe.skipIf(!hasTools)('streams that few encoders write, judged by dcmdjpeg', () => {
  const encapsulate = (description: ImageDescription, fragment: Uint8Array, syntax: string) =>
    imageObject(
      { ...description, transferSyntaxUID: `${PREFIX}.${syntax}` },
      { fragments: [fragment.length % 2 ? Uint8Array.from([...fragment, 0]) : fragment] },
    );

  it.each([2, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16].map((bits) => [bits] as const))(
    'lossless of %i bits: every predictor, restart markers, components, point transform',
    async (bits) => {
      for (const [index, predictor] of [1, 2, 3, 4, 5, 6, 7].entries()) {
        const components = index % 2 ? 3 : 1;
        const description = shapeOf({ bits, samples: components });
        const pixels = asSamples(randomPixels(description, bits * 10 + predictor), sampleWidth(bits), false);
        const stream = losslessJpeg(pixels, {
          rows: 31,
          columns: 45,
          precision: bits,
          components,
          predictor,
          restartRows: index % 3 === 0 ? 0 : index,
          pointTransform: predictor === 5 && bits > 2 ? 1 : 0,
          separateScans: predictor === 6,
        });
        const object = encapsulate(description, stream, '57');
        const found = await judged(object, 'dcmdjpeg', ['+cn']);
        expect(found, `predictor ${predictor}`).toEqual({ largest: 0, frames: 1 });
      }
    },
  );

  const samplings: [string, [number, number][], number | undefined, string][] = [
    [
      '4:2:0',
      [
        [2, 2],
        [1, 1],
        [1, 1],
      ],
      undefined,
      'YBR_FULL_422',
    ],
    [
      '4:1:1',
      [
        [4, 1],
        [1, 1],
        [1, 1],
      ],
      undefined,
      'YBR_FULL_422',
    ],
    [
      '4:4:0',
      [
        [1, 2],
        [1, 1],
        [1, 1],
      ],
      undefined,
      'YBR_FULL_422',
    ],
    [
      '4:2:2',
      [
        [2, 1],
        [1, 1],
        [1, 1],
      ],
      undefined,
      'YBR_FULL_422',
    ],
    [
      'RGB without a transform by Adobe',
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      0,
      'RGB',
    ],
    [
      'YCbCr by Adobe though the data set says RGB',
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      1,
      'RGB',
    ],
    [
      'no transform by Adobe though the data set says YBR',
      [
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      0,
      'YBR_FULL',
    ],
    ['one component with odd factors', [[2, 2]], undefined, 'MONOCHROME2'],
  ];
  it.each(samplings)('baseline, %s', async (_name, sampling, adobeTransform, photometric) => {
    const random = seeded(7);
    const level = () => Math.floor(random() * 256);
    for (const restartInterval of [0, 3]) {
      const shape = { rows: 31, columns: 45, sampling, restartInterval };
      const stream = baselineJpeg(
        { ...shape, ...(adobeTransform !== undefined && { adobeTransform }) },
        level,
      );
      const description = shapeOf({ bits: 8, samples: sampling.length, photometric });
      const object = encapsulate(description, stream, '50');
      expect(await judged(object, 'dcmdjpeg', ['+cn'])).toEqual({ largest: 0, frames: 1 });
    }
  });

  it.each([
    ['CMYK', undefined],
    ['CMYK by Adobe', 0],
    ['YCCK by Adobe', 2],
  ])('baseline of four components, %s: as they lie in the stream', async (_name, adobeTransform) => {
    const level = (component: number, x: number, y: number) => (component * 60 + x * 9 + y * 5) % 256;
    const sampling: [number, number][] = [
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 1],
    ];
    const stream = baselineJpeg(
      { rows: 31, columns: 45, sampling, ...(adobeTransform !== undefined && { adobeTransform }) },
      level,
    );
    const description = shapeOf({ bits: 8, samples: 4, photometric: 'CMYK' });
    const [frame] = await framesOf(encapsulate(description, stream, '50'));
    const { pixels } = await decodeFrame(tools, frame!);
    for (let y = 0; y < 31; y++)
      for (let x = 0; x < 45; x++)
        for (let c = 0; c < 4; c++) expect(pixels[(y * 45 + x) * 4 + c]).toBe(level(c, x >> 3, y >> 3));
  });

  it.each([
    [2, 8],
    [2, 16],
    [4, 8],
    [4, 12],
    [4, 16],
  ])('JPEG-LS of %i components of %i bits, a scan each', async (components, bits) => {
    const description = shapeOf({ bits, samples: components, photometric: 'CMYK' });
    const plane = shapeOf({ bits });
    const planes = Array.from({ length: components }, (_, index) => randomPixels(plane, bits + index));
    const streams: Uint8Array[] = [];
    for (const pixels of planes) {
      const made = throughDcmtk(folder, 'dcmcjpls', imageObject(plane, pixels), ['+el']);
      streams.push((await framesOf(made))[0]!.encoded);
    }
    const object = encapsulate(description, joinScans(streams), '80');
    const truth = interleavePlanes(planes, sampleWidth(bits));
    expect(await compared(object, [truth])).toEqual({ largest: 0, frames: 1 });
  });
});

/** Scans of single-component JPEG-LS streams under one frame header (T.87 C.2). */
function joinScans(streams: readonly Uint8Array[]): Uint8Array {
  const scans = streams.map((stream, index) => {
    const frameHeader = markerAt(stream, 0xf7);
    const start = markerAt(stream, 0xda);
    const end = stream.lastIndexOf(0xd9) - 1;
    const scan = stream.slice(start, end);
    scan[5] = index + 1;
    const between = stream.slice(frameHeader + 2 + 11, start);
    return Buffer.concat([between, scan]);
  });
  const at = markerAt(streams[0]!, 0xf7);
  const header = Buffer.from(streams[0]!.slice(at, at + 10));
  header.writeUInt16BE(8 + 3 * streams.length, 2);
  header[9] = streams.length;
  const components = streams.flatMap((_, index) => [index + 1, 0x11, 0]);
  return Buffer.concat([
    Uint8Array.of(0xff, 0xd8),
    header,
    Uint8Array.from(components),
    ...scans,
    Uint8Array.of(0xff, 0xd9),
  ]);
}

function markerAt(stream: Uint8Array, marker: number): number {
  return stream.findIndex((byte, index) => byte === 0xff && stream[index + 1] === marker);
}
