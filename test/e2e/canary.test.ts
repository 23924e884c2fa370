/**
 * Quiet about patients (invariant 7): a canary in every identifying element, in keys and in the upload's name, through an
 * ingest that refuses, keeps apart, merges and audits; then looked for in everything that operators can see.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ctInstance } from '../../local/demo/series.ts';
import { startWorld, type World } from '../../local/world/world.ts';
import { writeP10 } from '../../shared/dicom/write.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const UPLOAD = 'CANARY^UPLOAD';
const BIRTH_DATE = '19640229';
/** Short text, by which PS3.15 Annex E tells a person or a place; each says which element leaked. */
const NAMES = [
  'ReferringPhysicianName',
  'PerformingPhysicianName',
  'OperatorsName',
  'PhysiciansOfRecord',
].concat(
  ['NameOfPhysiciansReadingStudy', 'RequestingPhysician', 'OtherPatientNames', 'PatientMotherBirthName'],
  ['ResponsiblePerson'],
);
const TEXTS = [
  'IssuerOfPatientID',
  'OtherPatientIDs',
  'PatientAddress',
  'PatientComments',
  'Occupation',
].concat(
  ['EthnicGroup', 'AdditionalPatientHistory', 'InstitutionName', 'InstitutionAddress', 'StationName'],
  ['InstitutionalDepartmentName', 'DeviceSerialNumber', 'AccessionNumber', 'StudyID', 'StudyDescription'],
  ['SeriesDescription', 'ProtocolName', 'ImageComments', 'AdmissionID', 'CurrentPatientLocation'],
  ['PatientReligiousPreference', 'CountryOfResidence', 'RegionOfResidence', 'MedicalRecordLocator'],
  ['RequestedProcedureDescription', 'PerformedProcedureStepDescription', 'PatientTelephoneNumbers'],
  ['MilitaryRank', 'ResponsibleOrganization', 'RequestingService', 'ReferringPhysicianAddress'],
);
const LEAKY = Object.fromEntries([
  ...NAMES.map((keyword, n) => [keyword, `CANARY^N${n}`]),
  ...TEXTS.map((keyword, n) => [keyword, `CANARY T${n}`]),
]);

interface Given {
  readonly series: string;
  readonly instance: number;
  readonly name?: string;
  readonly id?: string;
  readonly more?: Readonly<Record<string, string>>;
}

function bytesOf({ series, instance, name = 'CANARY^PATIENT', id = 'CANARY-ID', more = {} }: Given) {
  const patient = { id, name, birthDate: BIRTH_DATE, sex: 'O' as const };
  const place = { patient, study: `canary/${series}`, series, instance, description: 'CANARY SERIES' };
  const made = ctInstance(place, { rows: 16, columns: 16 }, instance / 10);
  return writeP10({ ...made, elements: { ...made.elements, ...LEAKY, ...more } });
}

/** What is uploaded, by the end of its key: all that the pipeline may say something about. */
const OBJECTS: Readonly<Record<string, Uint8Array>> = {
  'sound/1.dcm': bytesOf({ series: 'sound', instance: 1 }),
  'sound/2.dcm': bytesOf({ series: 'sound', instance: 2 }),
  // The same person, spelled otherwise: two image sets that are merged.
  'spelled/1.dcm': bytesOf({ series: 'spelled', instance: 1 }),
  'spelled/2.dcm': bytesOf({ series: 'spelled', instance: 2, name: 'Canary^Patient' }),
  // Another person in the same series: kept apart.
  'other/1.dcm': bytesOf({ series: 'other', instance: 1 }),
  'other/2.dcm': bytesOf({ series: 'other', instance: 2, id: 'CANARY-ID-2' }),
  'too-long/1.dcm': bytesOf({ series: 'long', instance: 1, more: { PatientID: 'CANARY-'.repeat(20) } }),
  'conflict/1.dcm': bytesOf({ series: 'sound', instance: 1, more: { ImageComments: 'CANARY ELSE' } }),
  'bad-uid/1.dcm': bytesOf({ series: 'uid', instance: 1, more: { StudyInstanceUID: '1.2.CANARY' } }),
  'text.dcm': new TextEncoder().encode('CANARY is not DICOM'),
  'cut.dcm': bytesOf({ series: 'cut', instance: 1 }).subarray(0, 700),
  'empty.dcm': new Uint8Array(),
};

let folder: string;
let world: World;
const seen = new Map<string, string>();
const tell = (where: string, text: string) => seen.set(where, `${seen.get(where) ?? ''}${text}\n`);

const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
const s3 = () =>
  new S3Client({ endpoint: world.s3Url, region: world.region, credentials, forcePathStyle: true });
const sfn = () => new SFNClient({ endpoint: world.stepFunctionsUrl, region: world.region, credentials });

const start = (parameters: Record<string, string> = {}) =>
  startWorld({
    dataDir: folder,
    basePort: 0,
    behaviour: '2024',
    parameters,
    log: (line) => tell('the log of the world', line),
    // S3's own events name keys: that is what they are for. They go to the queue, which is encrypted, and no further.
    onEvent: (bus, event) => event.source !== 'aws.s3' && tell(`events of ${bus}`, JSON.stringify(event)),
  });

async function untilDone(): Promise<void> {
  const left = async () => {
    const { KeyCount } = await s3().send(new ListObjectsV2Command({ Bucket: world.inboxBucket }));
    const { executions = [] } = await sfn().send(
      new ListExecutionsCommand({ stateMachineArn: world.stateMachineArns.ingest, statusFilter: 'RUNNING' }),
    );
    return [KeyCount, executions.length];
  };
  await vi.waitFor(async () => expect(await left()).toEqual([0, 0]), { timeout: 250_000, interval: 500 });
}

/** Input, output and history of an execution, and of every child of its maps. */
async function readExecution(name: string, executionArn: string): Promise<void> {
  tell(
    `execution of ${name}`,
    JSON.stringify(await sfn().send(new DescribeExecutionCommand({ executionArn }))),
  );
  const history = new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 });
  tell(`history of ${name}`, JSON.stringify(await sfn().send(history)));
  const { mapRuns = [] } = await sfn().send(new ListMapRunsCommand({ executionArn }));
  for (const { mapRunArn } of mapRuns) {
    const { executions = [] } = await sfn().send(new ListExecutionsCommand({ mapRunArn }));
    for (const { executionArn: child } of executions)
      tell(
        `children of ${name}`,
        JSON.stringify(await sfn().send(new DescribeExecutionCommand({ executionArn: child }))),
      );
  }
}

const auditLog = () =>
  readFile(join(folder, 'logs', 'isocenter-local-auditImageSets.log'), 'utf8').catch(() => '');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-canary-'));
  world = await start({ constraintProfile: '2024' });
  for (const [name, Body] of Object.entries(OBJECTS))
    await s3().send(
      new PutObjectCommand({ Bucket: world.inboxBucket, Key: `${UPLOAD}/CANARY NAME/${name}`, Body }),
    );
  await untilDone();
  await world.close();
  // The audit runs when a world starts: now there is something to prove again.
  world = await start({ constraintProfile: '2024', auditPercent: '100' });
  await vi.waitFor(async () => expect(await auditLog()).toMatch(/ImageSetsAudited":[1-9]/), {
    timeout: 100_000,
    interval: 500,
  });
  for (const [name, stateMachineArn] of Object.entries(world.stateMachineArns)) {
    const { executions = [] } = await sfn().send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn = '' } of executions) await readExecution(name, executionArn);
  }
  for (const file of await readdir(join(folder, 'logs')))
    tell(`log ${file}`, await readFile(join(folder, 'logs', file), 'utf8'));
  tell('notifications', await readFile(join(folder, 'notifications.ndjson'), 'utf8'));
});
afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true, force: true });
});

it('went through everything that could tell: refusals, a merge, an audit, children of maps', () => {
  expect([...seen.keys()]).toEqual(
    expect.arrayContaining([
      'children of ingest',
      'execution of import-batch',
      'execution of merge-series',
      'log isocenter-local-auditImageSets.log',
      'notifications',
    ]),
  );
  const notifications = seen.get('notifications') ?? '';
  for (const code of ['NotP10', 'Empty', 'ElementTooLong', 'InvalidUid', 'InstanceConflict'])
    expect(notifications, code).toContain(code);
});

it('is quiet about the patient, the upload and its files', () => {
  const found = [...seen].flatMap(([where, text]) =>
    [...text.matchAll(new RegExp(`.{0,60}(canary|\\b${BIRTH_DATE}\\b).{0,60}`, 'gi'))].map(
      ([around]) => `${where}: ${around}`,
    ),
  );
  expect(found.slice(0, 10)).toEqual([]);
});
