/**
 * N series that came in 2 to 6 jobs, each with another spelling, every tenth with another protocol and every tenth with
 * another patient: `node bench/merge.mjs [N] [2024|current] [--throttle aws] [--faults]`. Prints how many series ended
 * as one image set, how many stay apart and how many failed, the service calls for each, and whether every instance is
 * there as it was before, dataset and pixel checksums; and that no image set holds what two patients sent.
 */
import { parseArgs } from 'node:util';
import { buildAll } from '../scripts/build.mjs';
import { loadSource } from '../test/e2e/world-process.mjs';

const { values, positionals } = parseArgs({
  options: { throttle: { type: 'string', default: 'off' }, faults: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const count = Number(positionals[0] ?? 50);
const behaviour = positionals[1] ?? '2024';
const SEED = 7;
const FAULT_SHARE = 0.2;

await buildAll();
const { writeP10 } = await loadSource('shared/dicom/write.ts');
const { openMergeWorld } = await loadSource('bench/merge-world.ts');
// A fifth of all calls is refused, in four ways; a fifth of the copies ends COPY_FAILED.
const faults = ['throttle', 'conflict', 'error', 'unavailable'].flatMap((fault) =>
  [
    'GetImageSet',
    'GetImageSetMetadata',
    'SearchImageSets',
    'UpdateImageSetMetadata',
    'CopyImageSet',
    'DeleteImageSet',
  ].map((operation) => ({ fault, operation, probability: FAULT_SHARE / 4 })),
);
const world = await openMergeWorld({
  behaviour,
  throttle: values.throttle,
  ...(values.faults ? { faults: { seed: SEED, faults } } : {}),
  failing: values.faults ? FAULT_SHARE : 0,
  // With faults most of the time is waiting, as the service asks for it.
  seriesAtOnce: values.throttle === 'aws' ? 2 : values.faults ? 50 : 8,
});

const NAMES = ['Nobody^Test', 'NOBODY^TEST', 'Nobody^Test^', 'nobody^test', 'Nobody^Test ', 'NOBODY^TEST^^'];
/** Today's service makes an image set of its own only of what differs in a grouping element: the date's old form does. */
const DATES = ['20260131', '2026.01.31', '20260131', '2026.01.31', '2026.01.31', '20260131'];
const uploadsOf = (series) => 2 + (series % 5);
const isOtherProtocol = (series) => series % 10 === 9;
const isOtherPatient = (series) => series % 10 === 8;
const seriesUID = (series) => `2.25.8.${series}`;
const sopUID = (series, upload) => `2.25.9.${series}.${upload}`;

function slice(series, upload) {
  const pixels = new Uint8Array(16 * 16 * 2).map((_, i) => (i * (series + 1) * (upload + 3)) % 256);
  for (let i = 1; i < pixels.length; i += 2) pixels[i] &= 0x0f;
  const isLast = upload === uploadsOf(series) - 1;
  return writeP10({
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    elements: {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: sopUID(series, upload),
      StudyDate: behaviour === 'current' ? DATES[upload] : '20260131',
      Modality: 'CT',
      // In today's service the other protocol has its own series number, which groups.
      SeriesDescription: isOtherProtocol(series) && isLast ? 'Another protocol' : 'Chest',
      SeriesNumber: isOtherProtocol(series) && isLast ? '2' : '1',
      PatientName: NAMES[upload],
      PatientID: isOtherPatient(series) && isLast ? `Q${series}` : `P${series}`,
      PatientBirthDate: '19700101',
      PatientSex: 'O',
      StudyInstanceUID: `2.25.7.${series}`,
      SeriesInstanceUID: seriesUID(series),
      StudyID: 'S',
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      Rows: 16,
      Columns: 16,
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
    },
    pixelData: pixels,
  });
}

const seconds = async (work) => {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
};

const all = Array.from({ length: count }, (_, series) => series);
const importing = await seconds(async () => {
  for (let upload = 0; upload < 6; upload++) {
    const sent = all.filter((series) => upload < uploadsOf(series));
    if (sent.length > 0)
      await world.importRound(
        `round-${upload}`,
        new Map(sent.map((series) => [`${series}.dcm`, slice(series, upload)])),
      );
  }
});
const uids = all.map(seriesUID);
await world.readyToMerge(uids);
const before = new Map();
for (const uid of uids) before.set(uid, await world.setsOf(uid));

world.calls.clear();
let outcomes = [];
const merging = await seconds(async () => {
  outcomes = await world.merge(uids);
});
const calls = [...world.calls.values()].reduce((sum, n) => sum + n, 0);

/** SOP Instance UID → what must be kept of it. */
const instancesOf = (sets) =>
  JSON.stringify(sets.flatMap(({ instances }) => Object.entries(instances)).sort());
const patientsOf = (sets) =>
  new Map(sets.flatMap((set) => Object.keys(set.instances).map((sop) => [sop, set.patient.PatientID])));
const result = { series: count, behaviour, throttle: values.throttle, faults: values.faults };
let one = 0;
let apart = 0;
let changed = 0;
let mixed = 0;
for (const uid of uids) {
  const [was, is] = [before.get(uid), await world.setsOf(uid)];
  if (is.length === 1) one++;
  else apart++;
  if (instancesOf(was) !== instancesOf(is)) changed++;
  const owner = patientsOf(was);
  if (is.some(({ instances }) => new Set(Object.keys(instances).map((sop) => owner.get(sop))).size > 1))
    mixed++;
}
const reports = outcomes.flatMap(({ reports: own }) => own);
const tell = (outcome) => reports.filter((report) => report.outcome === outcome).length;
console.log(
  JSON.stringify({
    ...result,
    imageSetsBefore: [...before.values()].reduce((sum, sets) => sum + sets.length, 0),
    oneImageSet: one,
    keptApart: apart,
    reports: { merged: tell('merged'), keptApart: tell('keptApart'), failed: tell('failed') },
    seriesChangedInContent: changed,
    imageSetsWithTwoPatients: mixed,
    importSeconds: Math.round(importing),
    mergeSeconds: Math.round(merging),
    callsPerSeries: Math.round((calls / count) * 10) / 10,
    calls: Object.fromEntries([...world.calls].sort()),
  }),
);
await world.close();
process.exit(changed === 0 && mixed === 0 && tell('failed') === 0 ? 0 : 1);
