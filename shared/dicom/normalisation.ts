/**
 * Which elements HealthImaging lifts to the patient, study and series level of an image set's metadata (guide,
 * "metadata normalization"; unchanged from 2024 to 2026). All others stay with the instance.
 */

const PATIENT = `00100010 00100020 00100021 00100024 00100022 00100030 00100033 00100034 00100035 00100040 00101100
00100200 00081120 00100032 00101002 00101001 00102160 00104000 00102201 00102202 00102292 00102293 00102294 00100212
00100213 00100219 00100218 00100216 00100221 00102297 00102298 00102299 00120062 00120063 00120064 00100026 00100027
00120010 00120020 00120021 00120030 00120031 00120040 00120042 00120081 00120082`;

const STUDY = `0020000D 00080020 00080030 00080090 00080096 0008009C 0008009D 00200010 00080050 00080051 00081030
00081048 00081049 00081060 00081062 00321033 00321034 00081110 00081032 00401012 00081080 00081084 00101010 00101020
00101030 00101022 00101023 00101024 00101021 00102000 00102110 001021A0 001021C0 001021D0 00380500 00102180 001021B0
00380010 00380014 00321066 00321067 00380060 00380064 00380062 00102203 00120050 00120051 00120052 00120053 00120083`;

const SERIES = `00080060 0020000E 00200011 00200060 00080021 00080031 00081050 00081052 00181030 0008103E 0008103F
00081070 00081072 00081111 00081250 00180015 00185100 00280108 00280109 00400275 00102210 300A0700 00120060 00120071
00120072 00080070 00080080 00080081 00081010 00081040 00081041 00081090 0018100B 00181000 00181020 00181008 0018100A
00181002 00181050 00181200 00181201 00280120 00200052 00201040`;

function tags(list: string): readonly number[] {
  return list.split(/\s+/).map((tag) => Number.parseInt(tag, 16));
}

export type Level = 'Patient' | 'Study' | 'Series' | 'Instance';

export const NORMALISED: Readonly<Record<'Patient' | 'Study' | 'Series', readonly number[]>> = {
  Patient: tags(PATIENT),
  Study: tags(STUDY),
  Series: tags(SERIES),
};

const levelByTag = new Map<number, Level>(
  Object.entries(NORMALISED).flatMap(([level, list]) => list.map((tag) => [tag, level as Level] as const)),
);

/** The level whose `DICOM` holds this element of the main data set. */
export function levelOf(tag: number): Level {
  return levelByTag.get(tag) ?? 'Instance';
}

/**
 * Elements by which today's service decides whether an instance joins a primary image set (guide, "understanding
 * image sets", since January 2025). By keyword; ours is `2024`'s rule where any normalised element may part them.
 */
export const GROUPING_KEYWORDS = [
  'StudyDate',
  'AccessionNumber',
  'PatientID',
  'StudyInstanceUID',
  'StudyID',
  'SeriesInstanceUID',
  'SeriesNumber',
] as const;
