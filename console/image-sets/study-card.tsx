/** A study: what its image sets are found by, and its series. Who the patient is only where somebody wants to see it. */
import { plural } from '../format.ts';
import { SeriesRow } from './series-row.tsx';
import { dateOf, labelled, patientsOf, type Study, tagOf, timeOf } from './studies.ts';

export function StudyCard({
  study,
  isPatientShown,
}: {
  readonly study: Study;
  readonly isPatientShown: boolean;
}) {
  const [first] = study.series[0]?.imageSets ?? [];
  if (first === undefined) return null;
  const when = `${dateOf(tagOf(first, 'StudyDate'))} ${timeOf(tagOf(first, 'StudyTime'))}`.trim();
  const facts = [
    when,
    labelled('accession', tagOf(first, 'AccessionNumber')),
    labelled('study ID', tagOf(first, 'StudyId')),
    plural(study.series.length, 'series', 'series'),
  ].filter(Boolean);
  const description = tagOf(first, 'StudyDescription') || 'Study without description';
  return (
    <article class="card study-card" aria-label={`Study ${description}, ${when}`}>
      <h2 class="study">{description}</h2>
      <p class="dim">{facts.join(' · ')}</p>
      {isPatientShown &&
        patientsOf(study).map((patient) => (
          <p key={patient} class="patient">
            {patient}
          </p>
        ))}
      <p class="uid">{study.studyInstanceUID}</p>
      <ul class="series">
        {study.series.map((series) => (
          <SeriesRow key={series.seriesInstanceUID} series={series} />
        ))}
      </ul>
    </article>
  );
}
