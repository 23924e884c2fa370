/** SearchImageSets: up to two filters (both must hold), one sort field, pages that do not move. */

import type { AccessFacts } from '../access/last-access.ts';
import { conflict, validation } from '../errors.ts';
import { type Behaviour, requireDatastore, type Service } from '../service.ts';
import type { ImageSetRecord } from '../store/records.ts';
import type { Condition, SearchPosition } from '../store/search.ts';
import { type EqualField, type SortField, studyMoment } from '../store/search-index.ts';
import { DEFAULT_PAGE } from './paging.ts';

type DateAndTime = { readonly DICOMStudyDate: string; readonly DICOMStudyTime?: string };
type FilterValue = Readonly<Record<string, string | number | boolean | DateAndTime>>;

export interface SearchImageSetsInput {
  readonly datastoreId: string;
  readonly searchCriteria?: {
    readonly filters?: readonly {
      readonly values: readonly FilterValue[];
      readonly operator: 'EQUAL' | 'BETWEEN';
    }[];
    readonly sort?: { readonly sortField: SortField; readonly sortOrder: 'ASC' | 'DESC' };
  };
  readonly maxResults?: number;
  readonly nextToken?: string;
}

export async function searchImageSets(service: Service, input: SearchImageSetsInput) {
  const { datastoreId, searchCriteria = {} } = input;
  const datastore = await requireDatastore(service, datastoreId);
  if (datastore.datastoreStatus !== 'ACTIVE') {
    throw conflict(`Data store ${datastoreId} is ${datastore.datastoreStatus}; searches need an ACTIVE one`);
  }
  const sort = searchCriteria.sort ?? { sortField: 'updatedAt', sortOrder: 'DESC' };
  const conditions = (searchCriteria.filters ?? []).map((filter, i) =>
    toCondition(filter.values, filter.operator, `searchCriteria.filters.${i + 1}.member`, service),
  );
  const scope = JSON.stringify(['SearchImageSets', datastoreId, sort, conditions]);
  const { tokens, search } = service.store;
  const page = await search.run(
    {
      datastoreId,
      conditions,
      sortField: sort.sortField,
      descending: sort.sortOrder === 'DESC',
      limit: input.maxResults ?? DEFAULT_PAGE,
    },
    input.nextToken === undefined ? undefined : tokens.open<SearchPosition>(scope, input.nextToken),
  );
  const accessed = await service.access.readAll(page.sets);
  return {
    imageSetsMetadataSummaries: page.sets.map((set, i) => toSummary(service.behaviour, set, accessed[i]!)),
    sort,
    nextToken: page.next && tokens.seal(scope, page.next),
  };
}

function toSummary(behaviour: Behaviour, set: ImageSetRecord, facts: AccessFacts) {
  return {
    imageSetId: set.imageSetId,
    version: set.latestVersion,
    createdAt: set.createdAt,
    updatedAt: set.updatedAt,
    DICOMTags: set.tags,
    isPrimary: behaviour === 'current' ? set.isPrimary : undefined,
    ...facts,
  };
}

/** Throws ValidationException where the values do not suit the operator. */
function toCondition(
  values: readonly FilterValue[],
  operator: 'EQUAL' | 'BETWEEN',
  path: string,
  service: Service,
): Condition {
  const wanted = operator === 'EQUAL' ? 1 : 2;
  if (values.length !== wanted) {
    throw validation(
      `Value at '${path}.values': operator ${operator} takes ${wanted} value(s), got ${values.length}`,
    );
  }
  const fields = values.map((value) => Object.keys(value)[0] ?? '');
  if (new Set(fields).size > 1)
    throw validation(`Value at '${path}.values' must name one attribute, got two`);
  const field = fields[0] as string;
  if (field === 'isPrimary' && service.behaviour === '2024') {
    throw validation(`Value at '${path}.values': unknown attribute isPrimary`);
  }
  const [first, second = first] = values.map((value) => value[field]);
  if (field === 'createdAt' || field === 'updatedAt') {
    return ordered({ kind: 'range', field, lower: first as number, upper: second as number }, path);
  }
  if (field === 'DICOMStudyDateAndTime') {
    return ordered(studyRange(first as DateAndTime, second as DateAndTime, operator, path), path);
  }
  const name = field as EqualField;
  if (operator === 'EQUAL') return { kind: 'equal', field: name, value: String(first) };
  if (name === 'isPrimary') throw validation(`Value at '${path}.operator': isPrimary takes EQUAL only`);
  return ordered({ kind: 'between', field: name, lower: String(first), upper: String(second) }, path);
}

/** EQUAL with a date alone means the whole day: that is how clients use it. */
function studyRange(first: DateAndTime, second: DateAndTime, operator: string, path: string): Condition {
  for (const { DICOMStudyDate: date, DICOMStudyTime: time = '' } of [first, second]) {
    if (!/^\d{8}$/.test(date)) throw validation(`Value at '${path}': DICOMStudyDate must be yyyyMMdd`);
    if (!/^(\d{6}(\.\d{1,6})?)?$/.test(time)) {
      throw validation(`Value at '${path}': DICOMStudyTime must be HHmmss.FFFFFF`);
    }
  }
  const wholeDay = operator === 'EQUAL' && first.DICOMStudyTime === undefined;
  const upper = wholeDay ? { ...first, DICOMStudyTime: '235959.999999' } : second;
  return {
    kind: 'range',
    field: 'DICOMStudyDateAndTime',
    lower: studyMoment(first),
    upper: studyMoment(upper),
  };
}

function ordered(condition: Condition, path: string): Condition {
  if (condition.kind !== 'equal' && condition.lower > condition.upper) {
    throw validation(`Value at '${path}.values': the lower bound comes first in BETWEEN`);
  }
  return condition;
}
