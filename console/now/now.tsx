/** Is it working, what came in today, what was refused: at a glance, live. */
import type { Hour, Overview, RunningExecution, Summary, WaitingUpload } from '../../shared/console/api.ts';
import { outcomeEntry } from '../../shared/ingest/report.ts';
import { HeldFigure } from '../decisions/held-figure.tsx';
import { age, bytes, clock, count, plural, seconds } from '../format.ts';
import { connection, isTroubled, now, overview } from '../live.ts';
import { Badge } from '../parts/badge.tsx';
import { Figure } from '../parts/figure.tsx';
import { Busy, Empty } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { Stages } from './stages.tsx';
import { Throughput } from './throughput.tsx';

export function NowPanel() {
  const found = overview.value;
  return (
    <>
      <h1>Now</h1>
      {found === undefined ? <NotYet /> : <NowParts found={found} />}
    </>
  );
}

/** The banner says what is wrong; the page comes by itself when that is over. */
function NotYet() {
  if (connection.value !== 'disconnected' && !isTroubled.value) return <Busy />;
  return <Empty>Nothing is known yet: this page fills itself once the server answers.</Empty>;
}

function NowParts({ found }: { readonly found: Overview }) {
  return (
    <>
      <Figures found={found} />
      <Running running={found.running} />
      <Waiting found={found} />
      <Finished recent={found.recent} />
    </>
  );
}

function Figures({ found }: { readonly found: Overview }) {
  const sum = (of: (hour: Hour) => number) => found.hours.reduce((total, one) => total + of(one), 0);
  // Older hours are still being counted.
  const more = found.hoursArePartial ? '+' : '';
  const rejected = sum((hour) => hour.rejected);
  const failed = sum((hour) => hour.failed);
  const oldest = found.waiting[0];
  const stuck = found.waiting.filter(({ needsAttention }) => needsAttention).length;
  return (
    <section aria-label="Last 24 hours" class="figures">
      <Figure name="Ingested, 24 h" value={`${count(sum((hour) => hour.ingested))}${more}`} tone="good" />
      <Figure
        name="Rejected, 24 h"
        value={`${count(rejected)}${more}`}
        tone={rejected > 0 ? 'warn' : 'plain'}
        to={linkTo('refused', 'rejected', 'hours')}
      />
      <Figure
        name="Failed, 24 h"
        value={`${count(failed)}${more}`}
        tone={failed > 0 ? 'bad' : 'plain'}
        to={linkTo('refused', 'failed', 'hours')}
      />
      <HeldFigure lastEnded={found.recent[0]?.executionId ?? ''} />
      <Figure name="Running" value={count(found.running.length)} tone="plain" />
      <Figure name="Oldest waiting" value={oldest ? age(oldest.oldest, now.value) : '–'} tone="plain" />
      <Figure name="Need attention" value={count(stuck)} tone={stuck > 0 ? 'bad' : 'plain'} />
      <Throughput hours={found.hours} isPartial={found.hoursArePartial} />
    </section>
  );
}

function Running({ running }: { readonly running: readonly RunningExecution[] }) {
  return (
    <section aria-labelledby="running">
      <h2 id="running">Running</h2>
      {running.length === 0 && (
        <Empty>Nothing runs. Files that reach the inbox start an ingest by themselves.</Empty>
      )}
      {running.map((execution) => (
        <article key={execution.executionId} class="card">
          <header class="row">
            <a href={linkTo('ingests', execution.executionId)}>{execution.upload || execution.executionId}</a>
            <span class="dim">
              {execution.received !== undefined && `${plural(execution.received, 'object')} · `}
              for {age(execution.startedAt, now.value)}
              <TimeLeft execution={execution} />
            </span>
          </header>
          <Stages stages={execution.stages} />
        </article>
      ))}
    </section>
  );
}

/** From the share of the running fan-out: its rate, and what is left of this stage. */
function TimeLeft({ execution }: { readonly execution: RunningExecution }) {
  const stage = execution.stages.find(({ status }) => status === 'running');
  if (stage?.share === undefined || stage.share <= 0 || stage.share >= 1) return null;
  const rate = ((execution.received ?? 0) * stage.share) / Math.max(0.1, stage.seconds);
  const left = (stage.seconds / stage.share) * (1 - stage.share);
  return (
    <>
      {' '}
      · {rate.toFixed(rate < 10 ? 1 : 0)} objects/s · about {seconds(left)} left in {stage.name.toLowerCase()}
    </>
  );
}

function Waiting({ found }: { readonly found: Overview }) {
  const { waiting, waitingIsPartial } = found;
  return (
    <section aria-labelledby="waiting">
      <h2 id="waiting">In the inbox</h2>
      {waiting.length === 0 ? (
        <Empty>Nothing waits.</Empty>
      ) : (
        <Table
          label="Uploads in the inbox"
          heads={['Upload', 'Objects', 'Size', 'Oldest', '']}
          numbers={[1, 2]}
        >
          {waiting.map((upload) => (
            <tr key={upload.upload}>
              <th scope="row">{upload.upload}</th>
              <td class="number">{count(upload.objects)}</td>
              <td class="number">{bytes(upload.bytes)}</td>
              <td>{age(upload.oldest, now.value)} ago</td>
              <td>
                <WaitingState upload={upload} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {waitingIsPartial && <p class="dim">There is more in the inbox than was counted here.</p>}
    </section>
  );
}

function WaitingState({ upload }: { readonly upload: WaitingUpload }) {
  if (upload.isRunning) return <Badge of="RUNNING" text="Running" />;
  const attempts = plural(upload.failedAttempts, 'failed attempt');
  if (upload.needsAttention) return <Badge of="Failed" text={`Needs attention: ${attempts}`} />;
  return upload.failedAttempts > 0 ? <Badge of="rejected" text={attempts} /> : <Badge of="" text="Waits" />;
}

function Finished({ recent }: { readonly recent: readonly Summary[] }) {
  const troubled = recent.filter(({ outcome }) => outcome !== 'Ingested').slice(0, 5);
  return (
    <>
      <section aria-labelledby="troubles">
        <h2 id="troubles">Last troubles</h2>
        <p class="dim">
          All that was refused, by reason: <a href={linkTo('refused', 'rejected', 'today')}>today</a>,{' '}
          <a href={linkTo('refused', 'rejected', 'yesterday')}>yesterday</a>,{' '}
          <a href={linkTo('refused', 'rejected', 'week')}>the last 7 days</a>
        </p>
        {troubled.length === 0 ? (
          <Empty>Nothing was refused and nothing failed lately.</Empty>
        ) : (
          <ul class="troubles">
            {troubled.map((one) => (
              <Trouble key={one.executionId} summary={one} />
            ))}
          </ul>
        )}
      </section>
      <section aria-labelledby="finished">
        <h2 id="finished">Finished</h2>
        {recent.length === 0 ? (
          <Empty>
            Nothing yet. <a href={linkTo('upload')}>Upload files</a> or run{' '}
            <code>npx isocenter ingest PATH</code>.
          </Empty>
        ) : (
          <SummaryTable label="Finished ingests" summaries={recent.slice(0, 10)} />
        )}
        <p>
          <a href={linkTo('ingests')}>All ingests</a>
        </p>
      </section>
    </>
  );
}

function Trouble({ summary }: { readonly summary: Summary }) {
  const benign = (code: string) => outcomeEntry(code)?.benign ?? false;
  const rejects = Object.entries(summary.rejects ?? {}).sort(
    ([a, ofA], [b, ofB]) => Number(benign(a)) - Number(benign(b)) || ofB - ofA,
  );
  return (
    <li class="card">
      <span class="row">
        <a href={linkTo('ingests', summary.executionId)}>{summary.upload}</a>
        <span class="dim">
          <Badge of={summary.outcome} /> {age(summary.finishedAt, now.value)} ago
        </span>
      </span>
      <span class="codes">
        {rejects.map(([code, value]) => (
          <a
            key={code}
            class={`badge ${benign(code) ? 'benign' : 'plain'}`}
            href={linkTo('ingests', summary.executionId, code)}
          >
            {code} {count(value)}
          </a>
        ))}
      </span>
    </li>
  );
}

export function SummaryTable({
  label,
  summaries,
}: {
  readonly label: string;
  readonly summaries: readonly Summary[];
}) {
  const heads = [
    'Upload',
    'Outcome',
    'Rejected',
    'Failed',
    'Received',
    'Ingested',
    'Duplicate',
    'Variants',
    'Finished',
  ];
  return (
    <Table label={label} heads={heads} numbers={[2, 3, 4, 5, 6, 7]}>
      {summaries.map((one) => (
        <tr key={one.executionId}>
          <th scope="row">
            <a href={linkTo('ingests', one.executionId)}>{one.upload}</a>
          </th>
          <td>
            <Badge of={one.outcome} />
          </td>
          <td class={`number ${(one.counts?.rejected ?? 0) > 0 ? 'warn' : ''}`}>
            {count(one.counts?.rejected ?? 0)}
          </td>
          <td class={`number ${(one.counts?.failed ?? 0) > 0 ? 'bad' : ''}`}>
            {count(one.counts?.failed ?? 0)}
          </td>
          <td class="number">{count(one.counts?.received ?? 0)}</td>
          <td class="number">{count(one.counts?.ingested ?? 0)}</td>
          <td class="number">{count(one.counts?.duplicate ?? 0)}</td>
          <td class="number">{count(one.variants ?? 0)}</td>
          <td>
            <time dateTime={one.finishedAt} title={one.finishedAt}>
              {clock(one.finishedAt)}
            </time>
          </td>
        </tr>
      ))}
    </Table>
  );
}
