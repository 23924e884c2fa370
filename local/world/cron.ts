/** `cron(minutes hours day-of-month month day-of-week year)` of EventBridge, in UTC (user guide, "Cron expressions"). Pure. */
import { TemplateError } from './intrinsics.ts';

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
/** 1 is Sunday. */
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const MINUTES: Field = { name: 'minutes', min: 0, max: 59 };
const HOURS: Field = { name: 'hours', min: 0, max: 23 };
const DAYS: Field = { name: 'day of month', min: 1, max: 31 };
const MONTHS_FIELD: Field = { name: 'month', min: 1, max: 12, words: MONTHS };
const WEEKDAYS_FIELD: Field = { name: 'day of week', min: 1, max: 7, words: WEEKDAYS };
const YEARS: Field = { name: 'year', min: 1970, max: 2199 };

type Refuse = (why: string) => never;
/** Whether a day (UTC midnight) is one of those. */
type DayTest = (day: Date) => boolean;

function numberIn(text: string, { name, min, max, words = [] }: Field, refuse: Refuse): number {
  const word = words.indexOf(text.toUpperCase());
  const value = word >= 0 ? word + min : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : refuse(`${name} from ${min} to ${max}`);
}

/** `*`, `5`, `1-5`, `0/15`, `10-20/5`, and lists of them. */
function valuesOf(text: string, field: Field, refuse: Refuse): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    if (more.length > 0 || !Number.isInteger(step) || step < 1) refuse(`${field.name} with a step from 1 on`);
    const [from = '', to, ...rest] = range.split('-');
    if (rest.length > 0) refuse(`${field.name} as one range`);
    const first = range === '*' ? field.min : numberIn(from, field, refuse);
    const isOpen = range === '*' || (to === undefined && stepText !== undefined);
    const last = isOpen ? field.max : to === undefined ? first : numberIn(to, field, refuse);
    if (last < first) refuse(`${field.name} with the lower end first`);
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

const lastDayOf = (day: Date): number =>
  new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 0)).getUTCDate();

/** The working day nearest to the `wanted` one, in the same month. */
function workdayNear(day: Date, wanted: number): number {
  const last = lastDayOf(day);
  const date = Math.min(wanted, last);
  const weekday = new Date(Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), date)).getUTCDay();
  if (weekday === 6) return date > 1 ? date - 1 : date + 2;
  if (weekday === 0) return date < last ? date + 1 : date - 2;
  return date;
}

/** Besides numbers: `L` the last day, `LW` its last working day, `15W` the working day nearest to the 15th. */
function dayOfMonth(text: string, refuse: Refuse): DayTest {
  if (text === 'L') return (day) => day.getUTCDate() === lastDayOf(day);
  if (text === 'LW') return (day) => day.getUTCDate() === workdayNear(day, lastDayOf(day));
  if (/^\d+W$/.test(text)) {
    const wanted = numberIn(text.slice(0, -1), DAYS, refuse);
    return (day) => day.getUTCDate() === workdayNear(day, wanted);
  }
  const values = valuesOf(text, DAYS, refuse);
  return (day) => values.has(day.getUTCDate());
}

/** Besides numbers and names: `L` is Saturday, `6L` the last Friday, `3#2` the second Tuesday. */
function dayOfWeek(text: string, refuse: Refuse): DayTest {
  const weekdayOf = (day: Date) => day.getUTCDay() + 1;
  if (text === 'L') return (day) => weekdayOf(day) === 7;
  if (/^\w+L$/.test(text)) {
    const wanted = numberIn(text.slice(0, -1), WEEKDAYS_FIELD, refuse);
    return (day) => weekdayOf(day) === wanted && day.getUTCDate() > lastDayOf(day) - 7;
  }
  const [weekday, nth, ...more] = text.split('#');
  if (nth !== undefined) {
    const wanted = numberIn(weekday ?? '', WEEKDAYS_FIELD, refuse);
    if (more.length > 0 || !/^[1-5]$/.test(nth)) refuse('day of week with # and 1 to 5');
    return (day) => weekdayOf(day) === wanted && Math.ceil(day.getUTCDate() / 7) === Number(nth);
  }
  const values = valuesOf(text, WEEKDAYS_FIELD, refuse);
  return (day) => values.has(weekdayOf(day));
}

const DAY_MS = 86_400_000;

/**
 * The expression as a function: ms since 1970 → the next time after it, undefined when there is none. Throws
 * TemplateError with `where`, what was wanted and what came.
 */
export function parseCron(expression: string, where: string): (after: number) => number | undefined {
  const refuse: Refuse = (why) => {
    throw new TemplateError(`${where}: expected ${why}, got ${expression}`);
  };
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.trim().split(/\s+/) ?? [];
  if (fields.length !== 6) return refuse('cron(minutes hours day-of-month month day-of-week year)');
  const [minutes = '', hours = '', days = '', months = '', weekdays = '', years = ''] = fields;
  if ((days === '?') === (weekdays === '?'))
    return refuse('? for either the day of month or the day of week');
  const isDay = days === '?' ? dayOfWeek(weekdays, refuse) : dayOfMonth(days, refuse);
  const inMonths = valuesOf(months, MONTHS_FIELD, refuse);
  const inYears = valuesOf(years, YEARS, refuse);
  const times = [...valuesOf(hours, HOURS, refuse)]
    .flatMap((hour) => [...valuesOf(minutes, MINUTES, refuse)].map((minute) => (hour * 60 + minute) * 60_000))
    .sort((a, b) => a - b);
  return (after) => {
    for (let midnight = Math.floor(after / DAY_MS) * DAY_MS; ; midnight += DAY_MS) {
      const day = new Date(midnight);
      if (day.getUTCFullYear() > YEARS.max) return undefined;
      if (!inYears.has(day.getUTCFullYear()) || !inMonths.has(day.getUTCMonth() + 1) || !isDay(day)) continue;
      const time = times.find((offset) => midnight + offset > after);
      if (time !== undefined) return midnight + time;
    }
  };
}
