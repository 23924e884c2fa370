/** The data store: counts, import jobs, events and API calls as they come. */
import { useEffect } from 'preact/hooks';
import type { DataStore } from '../../shared/console/api.ts';
import { bytes, clock, count, words } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty, Loaded, useLoaded } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { get } from '../server.ts';
import { Happened } from './happened.tsx';

const AGAIN_MS = 5_000;

export function DataStorePanel() {
  const { loading, again } = useLoaded('', (signal) => get<DataStore>('data-store', signal));
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') again();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <h1>Data store</h1>
      <Loaded of={loading.value} again={again}>
        {(store) => <Parts store={store} />}
      </Loaded>
    </>
  );
}

function Parts({ store }: { readonly store: DataStore }) {
  return (
    <>
      <p class="dim">
        <Badge of={store.status} /> {store.name} · <code>{store.datastoreId}</code> · made{' '}
        {clock(store.createdAt)}
      </p>
      <section class="figures" aria-label="Counts">
        {Object.entries(store.counts).map(([name, value]) => (
          <div key={name} class="figure plain">
            <span class="value">{/Bytes/.test(name) ? bytes(value) : count(value)}</span>
            <span class="name">{COUNT_NAMES[name] ?? words(name)}</span>
          </div>
        ))}
      </section>
      <Jobs store={store} />
      <Happened activity={store.activity} />
      <Calls store={store} />
      <section aria-labelledby="addresses">
        <h2 id="addresses">Addresses</h2>
        <Table label="Addresses" heads={['What', 'Where']}>
          {Object.entries(store.addresses).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <code>{value}</code>
              </td>
            </tr>
          ))}
        </Table>
      </section>
    </>
  );
}

/** What the service's metrics count. */
const COUNT_NAMES: Readonly<Record<string, string>> = {
  TotalImageSetCount: 'Image sets',
  PrimaryImageSetCount: 'Primary image sets',
  DICOMInstanceCount: 'Instances',
  DICOMStudyCount: 'Studies',
  DICOMSeriesCount: 'Series',
  SmallImageSetCount: 'Image sets below 5 MB',
  StructuredStorageBytes: 'Index',
  StorageBytes: 'Stored',
};

function Jobs({ store }: { readonly store: DataStore }) {
  return (
    <section aria-labelledby="import-jobs">
      <h2 id="import-jobs">Import jobs</h2>
      {store.jobs.length === 0 ? (
        <Empty>No job ran yet.</Empty>
      ) : (
        <Table label="Import jobs" heads={['Job', 'State', 'Submitted', 'Ended']}>
          {store.jobs.slice(0, 20).map((job) => (
            <tr key={job.jobId}>
              <th scope="row">
                <code>{job.jobId}</code>
              </th>
              <td>
                <Badge of={job.jobStatus} />
              </td>
              <td>{clock(job.submittedAt)}</td>
              <td>{clock(job.endedAt ?? '')}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

function Calls({ store }: { readonly store: DataStore }) {
  if (store.calls.length === 0) return null;
  return (
    <section aria-labelledby="calls">
      <h2 id="calls">Calls by operation</h2>
      <Table label="Calls by operation" heads={['Operation', 'Status', 'Calls']} numbers={[2]}>
        {store.calls.map((call) => (
          <tr key={`${call.operation} ${call.status}`}>
            <th scope="row">{call.operation}</th>
            <td class={Number(call.status) >= 400 ? 'bad' : ''}>{call.status}</td>
            <td class="number">{count(call.count)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
