/** One ingest: its flow, its objects by outcome and code with what to do about them, its image sets and its history. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { CodeGroup, ExecutionDetails, Report, Retryable } from '../../shared/console/api.ts';
import { DecideLink } from '../decisions/decide-link.tsx';
import { bytes, clock, count, plural, seconds } from '../format.ts';
import { overview } from '../live.ts';
import { Stages } from '../now/stages.tsx';
import { Advice } from '../parts/advice.tsx';
import { Badge } from '../parts/badge.tsx';
import { DownloadButton } from '../parts/download-button.tsx';
import { Loaded, useLoaded } from '../parts/loaded.tsx';
import { NotThere } from '../parts/not-there.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { get, post } from '../server.ts';
import { History } from './history.tsx';
import { Objects } from './objects.tsx';
import { Retry } from './retry.tsx';
import { Variants } from './variants.tsx';

export function OneIngestPanel({
  executionId,
  code,
}: {
  readonly executionId: string;
  /** The group that is shown open. */
  readonly code?: string | undefined;
}) {
  const path = `executions/${encodeURIComponent(executionId)}`;
  const { loading, again } = useLoaded(executionId, (signal) => get<ExecutionDetails>(path, signal));
  // While it runs, its stages come with the live overview; once it has left that, the report is asked for.
  const live = useComputed(() => overview.value?.running.find((one) => one.executionId === executionId));
  const isLive = live.value !== undefined;
  useEffect(() => {
    if (!isLive) again();
  }, [isLive]);
  if (loading.value.state === 'problem' && [400, 404].includes(loading.value.status))
    return <NotThere what={`ingest ${executionId}`} back="ingests" name="Ingests" />;
  if (loading.value.state !== 'there')
    return (
      <>
        <p class="crumbs">
          <a href={linkTo('ingests')}>Ingests</a>
        </p>
        <h1>Ingest</h1>
        <Loaded of={loading.value} again={again}>
          {() => null}
        </Loaded>
      </>
    );
  return (
    <Loaded of={loading.value} again={again}>
      {(details) => (
        <>
          <Heading details={details} again={again} />
          {details.stages.length > 0 && (
            <section aria-label="Flow" class="card">
              <Stages stages={live.value?.stages ?? details.stages} counts={stageCounts(details.report)} />
            </section>
          )}
          {details.report && <ReportParts details={details} report={details.report} code={code} />}
          {details.status === 'FORGOTTEN' ? (
            <p class="dim">Step Functions keeps an execution’s history for 90 days: this one’s is gone.</p>
          ) : (
            <History executionId={executionId} />
          )}
        </>
      )}
    </Loaded>
  );
}

function stageCounts(report: Report | undefined): Record<string, string> {
  if (report === undefined) return {};
  const { counts, frames, batches, merges } = report;
  const imported = batches.reduce((sum, batch) => sum + batch.imported, 0);
  return {
    'Wait for quiet': `${count(counts.received)} received`,
    Inspect: `${count(counts.rejected)} rejected`,
    Plan: plural(batches.length, 'batch', 'batches'),
    Import: `${count(imported)} imported`,
    Verify: `${count(frames.verified)}/${count(frames.expected)} frames`,
    Merge: plural(merges.length, 'variant'),
    Report: `${count(counts.failed)} failed`,
  };
}

function Heading({ details, again }: { readonly details: ExecutionDetails; readonly again: () => void }) {
  const { report, status, upload, executionId } = details;
  return (
    <header class="heading">
      <p class="crumbs">
        <a href={linkTo('ingests')}>Ingests</a>
      </p>
      <h1>
        {upload || executionId} <Badge of={report?.outcome ?? status} />
      </h1>
      <p class="dim">
        {clock(details.startedAt)}
        {details.stoppedAt && ` to ${clock(details.stoppedAt)}`}
        {report && ` · ${seconds(report.timings.total)} · ${bytes(report.bytes)}`} · execution{' '}
        <code>{executionId}</code>
        {details.error && (
          <>
            {' '}
            · <span class="bad">{details.error}</span>
          </>
        )}
      </p>
      <p class="buttons">
        {status === 'RUNNING' && <Cancel executionId={executionId} again={again} />}
        {report && (
          <>
            <DownloadButton what={{ what: 'report', executionId }}>Download report</DownloadButton>
            <DownloadButton what={{ what: 'objects', executionId }}>Download objects</DownloadButton>
          </>
        )}
      </p>
    </header>
  );
}

function Cancel({ executionId, again }: { readonly executionId: string; readonly again: () => void }) {
  const asked = useSignal(false);
  const says = useSignal('');
  const problem = useSignal('');
  const cancel = async () => {
    problem.value = '';
    try {
      await post(`executions/${encodeURIComponent(executionId)}/cancel`);
      says.value = 'Stopped. What it had not accounted for is in the inbox.';
      again();
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  if (says.value !== '') return <span role="status">{says.value}</span>;
  if (!asked.value)
    return (
      <button
        type="button"
        class="danger"
        onClick={() => {
          asked.value = true;
        }}
      >
        Cancel…
      </button>
    );
  return (
    <span class="confirm" role="alert">
      {problem.value !== '' && <strong>{problem.value} </strong>}
      Stop this execution? Nothing is lost: its objects stay in the inbox.
      <button type="button" class="danger" onClick={() => void cancel()}>
        Stop it
      </button>
      <button
        type="button"
        onClick={() => {
          asked.value = false;
        }}
      >
        Keep it running
      </button>
    </span>
  );
}

function ReportParts(props: {
  readonly details: ExecutionDetails;
  readonly report: Report;
  readonly code: string | undefined;
}) {
  const { details, report, code } = props;
  return (
    <>
      <Counts report={report} />
      <Groups details={details} code={code} />
      <Variants report={report} />
      <ImageSets report={report} />
      <Batches report={report} />
    </>
  );
}

function Counts({ report }: { readonly report: Report }) {
  const { counts, frames } = report;
  const proof = [
    `${count(frames.verified)} of ${count(frames.expected)} frames proven`,
    `${count(frames.provenFromSource)} equal to the source`,
    frames.lossySource > 0 ? `${count(frames.lossySource)} from a lossy source` : '',
    frames.withoutChecksum > 0 ? `${count(frames.withoutChecksum)} without a checksum` : '',
    frames.mismatched > 0 ? `${count(frames.mismatched)} do NOT match` : '',
    frames.undecodable > 0 ? `${count(frames.undecodable)} cannot be decoded` : '',
    report.instancesWithoutFrames > 0
      ? `${plural(report.instancesWithoutFrames, 'instance')} without frames`
      : '',
  ];
  const figures = [
    ['Received', counts.received, 'plain'],
    ['Ingested', counts.ingested, 'good'],
    ['Duplicate', counts.duplicate, 'plain'],
    ['Rejected', counts.rejected, counts.rejected > 0 ? 'warn' : 'plain'],
    ['Failed', counts.failed, counts.failed > 0 ? 'bad' : 'plain'],
  ] as const;
  return (
    <section aria-label="Counts">
      <div class="figures">
        {figures.map(([name, value, tone]) => (
          <div key={name} class={`figure ${tone}`}>
            <span class="value">{count(value)}</span>
            <span class="name">{name}</span>
          </div>
        ))}
      </div>
      <p class="dim">{proof.filter(Boolean).join(' · ')}</p>
    </section>
  );
}

const OUTCOME_TITLES = {
  failed: 'Failed: our work or a service broke',
  rejected: 'Rejected: not stored, for the reasons below',
  ingested: 'Ingested',
  duplicate: 'Duplicate: stored before, byte for byte',
} as const;

function Groups({
  details,
  code,
}: {
  readonly details: ExecutionDetails;
  readonly code: string | undefined;
}) {
  const troubled = details.groups.filter(({ outcome }) => outcome === 'failed' || outcome === 'rejected');
  const outcomes = (['failed', 'rejected', 'ingested', 'duplicate'] as const).filter((outcome) =>
    details.groups.some((group) => group.outcome === outcome),
  );
  const { executionId, upload, retryable = { putBacks: [], left: {} } } = details;
  const retried = { executionId, upload, retryable };
  return (
    <section aria-labelledby="objects">
      <h2 id="objects">Objects</h2>
      {troubled.length > 1 && (
        <Retry
          {...retried}
          total={troubled.reduce((sum, group) => sum + group.count, 0)}
          hint="Puts everything that was refused or failed back into the inbox. Or open a reason below, and retry what it is about."
        />
      )}
      {outcomes.map((outcome) => (
        <div key={outcome} class={`outcome ${outcome}`}>
          <h3>{OUTCOME_TITLES[outcome]}</h3>
          {details.groups
            .filter((group) => group.outcome === outcome)
            .map((group) => (
              <Group
                key={group.code}
                {...retried}
                group={group}
                isFirstOpen={group.code !== '' && group.code === code}
              />
            ))}
        </div>
      ))}
    </section>
  );
}

/** What is said of objects with no code. */
const WITHOUT_REMARK: Readonly<Record<string, string>> = {
  ingested: 'stored as sent; the service had nothing to say about them',
  duplicate: 'left as they are',
};

function Group(props: {
  readonly executionId: string;
  readonly upload: string;
  readonly retryable: Retryable;
  readonly group: CodeGroup;
  readonly isFirstOpen: boolean;
}) {
  const { executionId, upload, retryable, group, isFirstOpen } = props;
  const isOpen = useSignal(isFirstOpen);
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (!isFirstOpen) return;
    isOpen.value = true;
    box.current?.scrollIntoView({ block: 'center' });
    box.current?.querySelector('summary')?.focus({ preventScroll: true });
  }, [isFirstOpen]);
  const canRetry = group.outcome === 'failed' || group.outcome === 'rejected';
  return (
    <details
      ref={box}
      class="group"
      open={isOpen.value}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        <span
          class={`badge ${group.outcome === 'failed' ? 'bad' : canRetry && !group.benign ? 'warn' : 'plain'}`}
        >
          {count(group.count)}
        </span>{' '}
        <strong>{group.code || 'without remark'}</strong>{' '}
        <span class="dim">{group.code === '' ? WITHOUT_REMARK[group.outcome] : group.says}</span>
      </summary>
      {group.advice && (
        <p class="advice">
          <strong>What to do:</strong> <Advice text={group.advice} />
        </p>
      )}
      <DecideLink code={group.code} executionId={executionId} />
      {canRetry && (
        <Retry
          executionId={executionId}
          upload={upload}
          total={group.count}
          retryable={retryable}
          code={group.code}
          hint={
            group.retry
              ? 'Trying again may help.'
              : 'The same file will end the same way, unless it or the rules changed.'
          }
        />
      )}
      {isOpen.value && (
        <Objects executionId={executionId} outcome={group.outcome} code={group.code} total={group.count} />
      )}
    </details>
  );
}

const SHOWN = 100;

function ImageSets({ report }: { readonly report: Report }) {
  const shown = useSignal(SHOWN);
  const sets = report.imageSets;
  if (sets.length === 0) return null;
  return (
    <section aria-labelledby="image-sets">
      <h2 id="image-sets">Image sets</h2>
      <Table
        label="Image sets"
        heads={['Image set', 'Modality', 'Series', 'Instances', 'Frames proven', '']}
        numbers={[3, 4]}
      >
        {sets.slice(0, shown.value).map((set) => (
          <tr key={set.imageSetId}>
            <th scope="row">
              <a href={linkTo('image-sets', set.imageSetId)}>
                <code>{set.imageSetId}</code>
              </a>
            </th>
            <td>{set.modality}</td>
            <td class="uid">{set.seriesInstanceUID}</td>
            <td class="number">{count(set.instances)}</td>
            <td class={`number ${set.verified < set.frames ? 'warn' : ''}`}>
              {set.frames === 0 ? 'no frames' : `${count(set.verified)}/${count(set.frames)}`}
            </td>
            <td>{set.isPrimary ? 'primary' : ''}</td>
          </tr>
        ))}
      </Table>
      {sets.length > shown.value && (
        <button
          type="button"
          onClick={() => {
            shown.value += SHOWN;
          }}
        >
          {count(sets.length - shown.value)} more
        </button>
      )}
    </section>
  );
}

function Batches({ report }: { readonly report: Report }) {
  if (report.batches.length === 0) return null;
  return (
    <section aria-labelledby="jobs">
      <h2 id="jobs">Import jobs</h2>
      <Table
        label="Import jobs"
        heads={['Job', 'State', 'Planned', 'Imported', 'Rejected', 'Warnings']}
        numbers={[2, 3, 4, 5]}
      >
        {report.batches.slice(0, SHOWN).map((batch) => (
          <tr key={batch.batchId}>
            <th scope="row">
              <code title={batch.outputS3Uri}>{batch.jobId}</code>
            </th>
            <td>
              <Badge of={batch.jobStatus} />
            </td>
            <td class="number">{count(batch.planned)}</td>
            <td class="number">{count(batch.imported)}</td>
            <td class="number">{count(batch.rejected)}</td>
            <td class="number">{count(batch.warnings)}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
