/**
 * The demonstration upload: several modalities, a series to merge, patients that must stay apart, ten broken objects,
 * and the account that a right pipeline gives of them.
 */
import { writeP10 } from '../../shared/dicom/write.ts';
import { brokenObjects } from './broken.ts';
import {
  crInstance,
  ctInstance,
  type DemoInstance,
  type DemoPatient,
  mrInstance,
  type Place,
  srInstance,
  usInstance,
} from './series.ts';

export type Behaviour = 'current' | '2024';

export interface DemoFile {
  /** Path within the upload. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly expected: ExpectedOutcome;
}

/** The outcome that the report must give, and its code where there is one. */
export interface ExpectedOutcome {
  readonly outcome: 'ingested' | 'duplicate' | 'rejected' | 'failed';
  readonly code?: string;
}

const INGESTED: ExpectedOutcome = { outcome: 'ingested' };

const PATIENTS = {
  chest: { id: 'DEMO-1', name: 'PHANTOM^CHEST', birthDate: '19700101', sex: 'O' },
  head: { id: 'DEMO-2', name: 'PHANTOM^HEAD', birthDate: '19800229', sex: 'O' },
  heart: { id: 'DEMO-3', name: 'PHANTOM^HEART', birthDate: '19900615', sex: 'O' },
  hand: { id: 'DEMO-4', name: 'PHANTOM^HAND', birthDate: '20001231', sex: 'O' },
  spelled: { id: 'DEMO-5', name: 'PHANTOM^SPELLED', birthDate: '19600704', sex: 'O' },
  twinA: { id: 'DEMO-6A', name: 'PHANTOM^TWIN', birthDate: '19750505', sex: 'O' },
  twinB: { id: 'DEMO-6B', name: 'PHANTOM^TWIN', birthDate: '19750505', sex: 'O' },
} as const satisfies Record<string, DemoPatient>;

/** All files, one after the other, so that only one is in memory. The same bytes every time. */
export function* demoFiles(behaviour: Behaviour): Generator<DemoFile> {
  const file = (path: string, instance: DemoInstance, expected: ExpectedOutcome = INGESTED): DemoFile => ({
    path,
    bytes: writeP10(instance),
    expected,
  });
  // Two identities in one study: today the smaller group is held back; in 2024 each becomes an image set of its own.
  const otherPatient: ExpectedOutcome =
    behaviour === 'current'
      ? { outcome: 'rejected', code: 'IdentityConflict' }
      : { outcome: 'ingested', code: 'KeptApart' };
  const chest = place(PATIENTS.chest, 'chest', 'ct', 'Chest 2.5 mm');
  const matrix = { rows: 512, columns: 512 };
  for (const n of upTo(24)) yield file(`ct-chest/${nameOf(n)}`, ctInstance(chest(n), matrix, n / 24));
  const head = place(PATIENTS.head, 'head', 'mr', 'Head IR real');
  for (const n of upTo(16))
    yield file(`mr-head/${nameOf(n)}`, mrInstance(head(n), { rows: 256, columns: 256 }, n / 18));
  const loop = place(PATIENTS.heart, 'heart', 'us', 'Doppler loop');
  yield file('us-doppler/loop.dcm', usInstance(loop(1), { rows: 240, columns: 320 }, 20));
  const hand = place(PATIENTS.hand, 'hand', 'cr', 'Hand PA');
  yield file('cr-hand/plate.dcm', crInstance(hand(1), { rows: 640, columns: 512 }));
  const report = place(PATIENTS.chest, 'chest', 'sr', 'Report');
  yield file('sr-report/report.dcm', srInstance(report(1)));
  yield* variants(file, otherPatient);
  const stray: Place = { ...chest(99), patient: { ...PATIENTS.chest, birthDate: '19710101' } };
  yield file('ct-chest-other-patient/stray.dcm', ctInstance(stray, matrix, 0.5), otherPatient);
  for (const { name, bytes, code } of brokenObjects(place(PATIENTS.chest, 'broken', 'ct', 'Broken')(1)))
    yield { path: `broken/${name}`, bytes, expected: brokenOutcome(code, behaviour) };
}

/** Today's service keeps what it cannot decode as one blob, unproven; in 2024 it refused it. */
function brokenOutcome(code: string, behaviour: Behaviour): ExpectedOutcome {
  const isKept = code === 'UnsupportedTransferSyntax' && behaviour === 'current';
  return isKept ? INGESTED : { outcome: 'rejected', code };
}

function* variants(
  file: (path: string, instance: DemoInstance, expected?: ExpectedOutcome) => DemoFile,
  otherPatient: ExpectedOutcome,
): Generator<DemoFile> {
  const small = { rows: 256, columns: 256 };
  const spelled = place(PATIENTS.spelled, 'spelled', 'ct', 'One patient, two spellings');
  for (const n of upTo(6)) {
    // The second console writes names in its own case and dates in the old form with dots (PS3.5 6.2).
    const at =
      n <= 4
        ? spelled(n)
        : {
            ...spelled(n),
            patient: { ...PATIENTS.spelled, name: 'Phantom^Spelled' },
            studyDate: '2026.01.31',
          };
    yield file(`ct-two-spellings/${nameOf(n)}`, ctInstance(at, small, n / 6));
  }
  const twins = place(PATIENTS.twinA, 'twins', 'ct', 'Two patients, one series');
  for (const n of upTo(5)) {
    const at = { ...twins(n), patient: n > 3 ? PATIENTS.twinB : PATIENTS.twinA };
    yield file(`ct-two-patients/${nameOf(n)}`, ctInstance(at, small, n / 5), n > 3 ? otherPatient : INGESTED);
  }
}

/** The expected account: inbox key → outcome and code. */
export function expectedAccount(upload: string, behaviour: Behaviour): Map<string, ExpectedOutcome> {
  const account = new Map<string, ExpectedOutcome>();
  for (const { path, expected } of demoFiles(behaviour)) account.set(`${upload}/${path}`, expected);
  return account;
}

function place(patient: DemoPatient, study: string, series: string, description: string) {
  return (instance: number): Place => ({ patient, study, series, description, instance });
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function nameOf(instance: number): string {
  return `IM${String(instance).padStart(4, '0')}.dcm`;
}
