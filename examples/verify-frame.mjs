/** Proves one stored frame: `node examples/verify-frame.mjs FRAME.j2c [CRC32]`, as GetImageFrame gave it. */
import { readFileSync } from 'node:fs';
import { decodeFrame, verifyFrame } from 'isocenter/verify';

const [path, checksum] = process.argv.slice(2);
const codestream = readFileSync(path);

const { rows: Height, columns: Width, bitsStored, signed, crc32 } = await decodeFrame(codestream);
console.log(`${Width} × ${Height}, ${bitsStored} bits ${signed ? 'signed' : 'unsigned'}, CRC-32 ${crc32}`);

// What the metadata document says of the frame: PixelDataChecksumFromBaseToFullResolution, Rows, Columns, …
const expected = {
  checksums: [{ Width, Height, Checksum: Number(checksum ?? crc32) }],
  rows: Height,
  columns: Width,
};
const { verified, mismatches, error } = await verifyFrame(codestream, expected);
console.log(
  verified ? 'verified' : 'NOT verified',
  ...mismatches.map((m) => `${m.what}: wanted ${m.expected}, got ${m.got}`),
);
if (error) console.log(error.code, error.message);

// Half of the width and height: a thumbnail costs a quarter of the work.
const thumbnail = await decodeFrame(codestream, { level: 1 });
console.log(`thumbnail ${thumbnail.columns} × ${thumbnail.rows}, ${thumbnail.pixels.length} bytes`);

process.exitCode = verified ? 0 : 1;
