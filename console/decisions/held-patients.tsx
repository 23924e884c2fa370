/** The patients of one study, stored and held: in what they differ, who they are when somebody asks, and the decision. */
import { useSignal } from '@preact/signals';
import type { HeldCase, HeldPatients as Patients } from '../../shared/console/api.ts';
import { count, plural } from '../format.ts';
import { Loaded, useLoaded } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';
import { DecisionForm } from './decision-form.tsx';
import { DecisionsMade } from './decisions-made.tsx';
import { Keywords } from './keywords.tsx';
import { LeaveOut } from './leave-out.tsx';

type Choice =
  | { readonly action: 'one-patient'; readonly label: string }
  | { readonly action: 'other-patients' }
  | { readonly action: 'leave-out' };

const VALUES = [
  ['Patient ID', 'patientID'],
  ['Issuer', 'issuerOfPatientID'],
  ['Name', 'name'],
  ['Born', 'birthDate'],
  ['Sex', 'sex'],
] as const;

export function HeldPatients(props: { readonly which: HeldCase; readonly decided: (says: string) => void }) {
  const { which } = props;
  const [series = ''] = which.series;
  const withValues = useSignal(false);
  const choice = useSignal<Choice | undefined>(undefined);
  const { loading, again } = useLoaded(series, (signal) =>
    post<Patients>('held/patients', { series, withValues: withValues.peek() }, { signal }),
  );
  const cancel = () => {
    choice.value = undefined;
  };
  // What is there stays meanwhile, a decision that is being made with it.
  const showOrHide = () => {
    withValues.value = !withValues.peek();
    again();
  };
  const decided = (says: string) => {
    cancel();
    props.decided(says);
  };
  return (
    <Loaded of={loading.value} again={again}>
      {(found) => (
        <div class="resolve">
          <Keywords keywords={found.keywords} />
          <PatientTable patients={found.patients} isNamed={withValues.value} />
          <p class="row">
            <button type="button" onClick={showOrHide}>
              {withValues.value ? 'Hide who they are' : 'Show who they are'}
            </button>
            <span class="dim">
              Shown here only, and not kept. A label names a patient without their values.
            </span>
          </p>
          {choice.value === undefined ? (
            <Choices found={found} choose={(wanted) => (choice.value = wanted)} />
          ) : choice.value.action === 'leave-out' ? (
            <LeaveOut which={which} decided={decided} cancel={cancel} />
          ) : (
            <Confirm which={which} found={found} choice={choice.value} decided={decided} cancel={cancel} />
          )}
          <DecisionsMade history={found.history} />
        </div>
      )}
    </Loaded>
  );
}

function PatientTable(props: {
  readonly patients: Patients['patients'];
  /** With their values, as soon as those are there. */
  readonly isNamed: boolean;
}) {
  const { patients } = props;
  const isNamed = props.isNamed && patients.some(({ identity }) => identity !== undefined);
  const heads = [
    'Patient',
    ...(isNamed ? VALUES.map(([name]) => name) : []),
    'Held objects',
    'Stored image sets',
  ];
  return (
    <Table label="Patients" heads={heads} numbers={[isNamed ? VALUES.length + 1 : 1]}>
      {patients.map(({ label, identity, held, imageSets }) => (
        <tr key={label}>
          <th scope="row">
            <code>{label}</code>
          </th>
          {isNamed && VALUES.map(([name, field]) => <td key={name}>{identity?.[field] || '(empty)'}</td>)}
          <td class="number">{count(held)}</td>
          <td>
            {imageSets.length === 0 && <span class="dim">none</span>}
            {[...new Set(imageSets)].map((id) => (
              <a key={id} class="listed" href={linkTo('image-sets', id)}>
                <code>{id.slice(0, 8)}…</code>
              </a>
            ))}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Choices({ found, choose }: { readonly found: Patients; readonly choose: (choice: Choice) => void }) {
  return (
    <>
      <p class="buttons">
        {found.patients.map(({ label }) => (
          <button key={label} type="button" onClick={() => choose({ action: 'one-patient', label })}>
            One patient, {label} is right…
          </button>
        ))}
        {found.mixedUp === undefined && (
          <button type="button" onClick={() => choose({ action: 'other-patients' })}>
            Different patients…
          </button>
        )}
        <button type="button" onClick={() => choose({ action: 'leave-out' })}>
          Leave out…
        </button>
      </p>
      {found.mixedUp !== undefined && (
        <p class="dim">They cannot come in as different patients: {found.mixedUp}.</p>
      )}
    </>
  );
}

function Confirm(props: {
  readonly which: HeldCase;
  readonly found: Patients;
  readonly choice: Exclude<Choice, { action: 'leave-out' }>;
  readonly decided: (says: string) => void;
  readonly cancel: () => void;
}) {
  const { which, found, choice, decided, cancel } = props;
  const seen = found.patients.map(({ label }) => label);
  const body = { series: which.series[0], study: which.studyInstanceUID, seen, ...choice };
  const isOne = choice.action === 'one-patient';
  return (
    <DecisionForm
      key={JSON.stringify(choice)}
      body={body}
      name={isOne ? 'One patient' : 'Different patients'}
      secondYes={
        isOne
          ? `They differ in ${found.keywords.join(', ')}. I have looked, and they are one patient.`
          : undefined
      }
      decided={decided}
      cancel={cancel}
    >
      {isOne ? <OnePatient found={found} label={choice.label} /> : <OtherPatients found={found} />}
    </DecisionForm>
  );
}

const goBack = ({ patients }: Patients): string => {
  const held = patients.reduce((sum, patient) => sum + patient.held, 0);
  return `${plural(held, 'held object goes', 'held objects go')} back into the inbox`;
};

function OnePatient({ found, label }: { readonly found: Patients; readonly label: string }) {
  const others = found.patients.filter((patient) => patient.label !== label);
  const corrected = new Set(others.flatMap(({ imageSets }) => imageSets)).size;
  return (
    <>
      {corrected === 0
        ? 'no stored image set changes, for all are'
        : `${plural(corrected, 'stored image set gets', 'stored image sets get')} the identity`}{' '}
      of patient <code>{label}</code>; then {goBack(found)}, and the next ingest stores them under that
      identity. It can be undone until they are stored.
    </>
  );
}

const OtherPatients = ({ found }: { readonly found: Patients }) => (
  <>
    {goBack(found)}, and the next ingest stores them as image sets of their own, kept apart. Nothing stored
    changes, and nothing merges them by itself.
  </>
);
