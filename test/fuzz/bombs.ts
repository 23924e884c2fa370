/** Objects made to hurt: deep nesting, many elements, lengths that lie, streams that inflate to much more. */
import { deflateRawSync } from 'node:zlib';
import { type WriteElements, writeDataSet, writeP10 } from '../../shared/dicom/write.ts';
import type { Random } from './random.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const little = { explicit: true, littleEndian: true };
const implicit = { explicit: false, littleEndian: true };

function header(transferSyntaxUID: string): Uint8Array {
  return writeP10({ transferSyntaxUID, elements: {} });
}

/** Sequences in sequences: `closed` ones are whole, others stop at the deepest. */
function nesting(random: Random): Uint8Array {
  const depth = 1 + random.below(4000);
  const isExplicit = random.below(2) === 0;
  const open = isExplicit ? '0800101153510000fffffffffeff00e0ffffffff' : '08001011fffffffffeff00e0ffffffff';
  const close = random.below(2) === 0 ? 'feff0de000000000feffdde000000000'.repeat(depth) : '';
  const syntax = isExplicit ? EXPLICIT : '1.2.840.10008.1.2';
  return Buffer.concat([header(syntax), Buffer.from(open.repeat(depth) + close, 'hex')]);
}

/** UN in UN in UN, each with a defined length, some of which lie. */
function unknownInUnknown(random: Random): Uint8Array {
  let body: Uint8Array = writeDataSet({ PatientID: 'x' }, implicit, false);
  for (let depth = 1 + random.below(60); depth > 0; depth--) {
    const item = Buffer.concat([Buffer.from('feff00e000000000', 'hex'), body]);
    item.writeUInt32LE(random.below(20) === 0 ? random.below(1 << 30) : body.length, 4);
    const element = Buffer.concat([Buffer.from('0800101100000000', 'hex'), item]);
    element.writeUInt32LE(item.length, 4);
    body = element;
  }
  const outer = writeDataSet(
    { ReferencedStudySequence: { vr: 'UN', value: body.subarray(8) } },
    little,
    false,
  );
  return Buffer.concat([header(EXPLICIT), outer]);
}

function manyElements(random: Random): Uint8Array {
  const one = Buffer.from(writeDataSet({ PatientID: random.pick([null, '', 'ab']) }, little, false));
  const all = Buffer.concat(Array.from({ length: 1 + random.below(20_000) }, () => one));
  const isDistinct = random.below(2) === 0;
  for (let at = 0; isDistinct && at + 4 <= all.length; at += one.length) {
    all.writeUInt16LE(0x0009 + 2 * random.below(500), at);
    all.writeUInt16LE(random.below(0x10000), at + 2);
  }
  return Buffer.concat([header(EXPLICIT), all]);
}

function deflateBomb(random: Random): Uint8Array {
  const inflated = Buffer.alloc(1 + random.below(8 << 20), random.below(3));
  const stream = deflateRawSync(inflated);
  const whole = header('1.2.840.10008.1.2.1.99').subarray(0, -2);
  return Buffer.concat([
    whole,
    stream.subarray(0, random.below(3) === 0 ? random.below(stream.length) : undefined),
  ]);
}

function manyFrames(random: Random): Uint8Array {
  const elements: WriteElements = {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
    SOPInstanceUID: '1.2.3',
    StudyInstanceUID: '1.2',
    SeriesInstanceUID: '1.3',
    NumberOfFrames: String(random.pick([1_000_000, 2_147_483_647, 4_294_967_296, -1, 0])),
    Rows: random.pick([1, 65535]),
    Columns: random.pick([1, 65535]),
    BitsAllocated: random.pick([1, 8, 16, 32, 64, 0, 65535]),
    SamplesPerPixel: random.pick([1, 3, 65535]),
  };
  const isNative = random.below(2) === 0;
  const fragments = Array.from({ length: random.below(2000) }, () => new Uint8Array(random.below(3)));
  return isNative
    ? writeP10({ transferSyntaxUID: EXPLICIT, elements, pixelData: new Uint8Array(random.below(64)) })
    : writeP10({
        transferSyntaxUID: '1.2.840.10008.1.2.5',
        elements,
        pixelData: { fragments, offsetTable: [0, 7, 3] },
      });
}

function noise(random: Random): Uint8Array {
  const bytes = random.bytes(random.below(600));
  return random.below(2) === 0 ? bytes : Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), bytes]);
}

export const BOMBS: readonly ((random: Random) => Uint8Array)[] = [
  nesting,
  unknownInUnknown,
  manyElements,
  deflateBomb,
  manyFrames,
  noise,
];
