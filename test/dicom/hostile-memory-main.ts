/**
 * Run as a process of its own by hostile-memory.test.ts: inspects one object of the named shape, made a piece at a time,
 * and prints its verdict with the largest resident size, MB.
 */
import { readFileSync } from 'node:fs';
import type { ByteSource } from '../../shared/dicom/byte-source.ts';
import { writeDataSet, writeP10 } from '../../shared/dicom/write.ts';
import { inspectObject } from '../../shared/ingest/inspect.ts';

const MIB = 1024 * 1024;
const explicit = { explicit: true, littleEndian: true };
const item = (content: Uint8Array) => {
  const head = Buffer.from('feff00e000000000', 'hex');
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
};
const sequence = (bytes: number) => {
  const head = Buffer.from('0800401153510000', 'hex');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes);
  return Buffer.concat([head, length]);
};

const REPEATED: Record<string, Uint8Array> = {
  'empty items': item(new Uint8Array()),
  'items of one element': item(writeDataSet({ PatientID: null }, explicit, false)),
  'items of five elements': item(
    writeDataSet({ Rows: 1, Columns: 1, HighBit: 1, BitsStored: 1, BitsAllocated: 1 }, explicit, false),
  ),
  'long texts': item(writeDataSet({ ImageComments: 'x'.repeat(64) }, explicit, false)),
  'distinct elements': Buffer.from('0900100055530200' + '0100', 'hex'),
};
/** `within`: as many as the budget of elements allows, so that all is read, digested and judged. */
const BYTES = process.argv[3] === 'within' ? 6_000_000 : 48 * MIB;

/** `head`, then the unit over and over; each read is made when it is asked for. */
function repeating(head: Uint8Array, unit: Uint8Array, isNumbered: boolean): ByteSource {
  const sizeBytes = head.length + Math.floor(BYTES / unit.length) * unit.length;
  const many = Buffer.concat(new Array(4096).fill(unit));
  return {
    sizeBytes,
    async read(start, end) {
      const out = new Uint8Array(Math.min(end, sizeBytes) - start);
      out.set(head.subarray(start, end));
      for (let at = Math.max(0, head.length - start); at < out.length; ) {
        const from = (start + at - head.length) % unit.length;
        const part = many.subarray(from, Math.min(many.length, from + out.length - at));
        out.set(part, at);
        at += part.length;
      }
      if (isNumbered) numberElements(out, start - head.length, unit.length);
      return out;
    },
  };
}

/** Each repeated element gets a private tag of its own, in rising order. */
function numberElements(out: Uint8Array, place: number, size: number): void {
  const first = Math.max(0, Math.ceil(place / size) - 1);
  for (let index = first; index * size < place + out.length; index++) {
    const group = 9 + 2 * (index >> 16);
    const tag = [group & 0xff, group >> 8, index & 0xff, (index >> 8) & 0xff];
    tag.forEach((value, byte) => {
      const at = index * size + byte - place;
      if (at >= 0 && at < out.length) out[at] = value;
    });
  }
}

const UIDS = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.66',
  SOPInstanceUID: '2.25.1',
  StudyInstanceUID: '2.25.2',
  SeriesInstanceUID: '2.25.3',
};
const shape = process.argv[2] ?? '';
const unit = REPEATED[shape]!;
const isNumbered = shape === 'distinct elements';
const base = writeP10({ transferSyntaxUID: '1.2.840.10008.1.2.1', elements: UIDS });
const count = Math.floor(BYTES / unit.length);
const head = isNumbered ? base : Buffer.concat([base, sequence(count * unit.length)]);
const source = repeating(head, unit, isNumbered);
const started = performance.now();
const verdict = await inspectObject(source, { key: 'hostile', profile: 'current' });
console.log(
  JSON.stringify({
    verdict: verdict.verdict === 'rejected' ? verdict.code : verdict.verdict,
    message: verdict.verdict === 'rejected' ? verdict.message : '',
    units: count,
    residentMb: Math.round(largestKb() / 1024),
    seconds: Math.round((performance.now() - started) / 100) / 10,
  }),
);

/** The largest size of this program, in kB. Linux counts that of the process that started it into `maxRSS` as well. */
function largestKb(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS;
  const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  if (kb === undefined) throw new Error('/proc/self/status has no VmHWM');
  return Number(kb);
}
