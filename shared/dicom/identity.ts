/** Whose an instance is, and where the service puts it: the elements that decide, as text. */
import { GROUPING_KEYWORDS } from './normalisation.ts';
import type { P10 } from './p10.ts';
import { text } from './values.ts';

/** Whose data this is. Trailing padding trimmed; case and inner white space count. Empty where absent. */
export interface PatientIdentity {
  readonly patientID: string;
  readonly issuerOfPatientID: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly name: string;
}

export function patientIdentity(p10: P10): PatientIdentity {
  return {
    patientID: text(p10, 'PatientID') ?? '',
    issuerOfPatientID: text(p10, 'IssuerOfPatientID') ?? '',
    birthDate: text(p10, 'PatientBirthDate') ?? '',
    sex: text(p10, 'PatientSex') ?? '',
    name: text(p10, 'PatientName') ?? '',
  };
}

/** The elements by which today's service groups, by keyword; empty where absent. */
export function groupingElements(p10: P10): Record<string, string> {
  return Object.fromEntries(GROUPING_KEYWORDS.map((keyword) => [keyword, text(p10, keyword) ?? '']));
}
