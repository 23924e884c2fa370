/**
 * The template's parameters: defaults, what was given, and the template's own rules for both. One place for the deploy
 * tool, `npm run package` and the local world (plain JavaScript, as the first of these runs without a build).
 */

/** Some parameters are unknown or ill-formed; the message has one line for each: name, wanted, got. */
export class ParameterError extends Error {
  name = 'ParameterError';
}

function problemOf(name, rule, value) {
  if (rule.AllowedValues && !rule.AllowedValues.map(String).includes(value))
    return `parameter ${name}: expected one of ${rule.AllowedValues.join(', ')}, got "${value}"`;
  if (rule.AllowedPattern && !new RegExp(`^(?:${rule.AllowedPattern})$`).test(value))
    return `parameter ${name}: expected ${rule.AllowedPattern} (${rule.Description}), got "${value}"`;
  return undefined;
}

/** The functions that CloudFormation has in a rule's assertions, those that we use. */
const ASSERTIONS = {
  Ref: (name, values) => values[name],
  'Fn::Equals': ([a, b], values) => evaluate(a, values) === evaluate(b, values),
  'Fn::Not': ([one], values) => !evaluate(one, values),
  'Fn::And': (all, values) => all.every((one) => evaluate(one, values)),
  'Fn::Or': (all, values) => all.some((one) => evaluate(one, values)),
};

function evaluate(expression, values) {
  if (typeof expression !== 'object' || expression === null) return expression;
  const [name, ...more] = Object.keys(expression);
  if (!ASSERTIONS[name] || more.length > 0)
    throw new Error(`a rule of parameters uses ${name}: not known here`);
  return ASSERTIONS[name](expression[name], values);
}

/** What does not hold between the values, in the words of the rules (a template's Rules). */
const brokenRules = (rules, values) =>
  Object.values(rules)
    .flatMap(({ Assertions }) => Assertions)
    .filter(({ Assert }) => !evaluate(Assert, values))
    .map(({ AssertDescription }) => `parameters: expected that ${AssertDescription}`);

/**
 * Every parameter of `rules` (a template's Parameters) with its value: given or default; `between` (its Rules) says what
 * must hold between them. Throws ParameterError naming all that is unknown, missing, ill-formed or does not go together.
 */
export function parseParameters(rules, given, between = {}) {
  const unknown = Object.keys(given)
    .filter((name) => !(name in rules))
    .map((name) => `parameter ${name}: unknown; expected one of ${Object.keys(rules).join(', ')}`);
  const values = {};
  const problems = Object.entries(rules).map(([name, rule]) => {
    const value = given[name] ?? rule.Default;
    if (value === undefined) return `parameter ${name}: expected a value, got none`;
    values[name] = String(value);
    return problemOf(name, rule, values[name]);
  });
  const all = [...unknown, ...problems.filter(Boolean), ...brokenRules(between, values)];
  if (all.length > 0) throw new ParameterError(all.join('\n'));
  return values;
}

/** `['quietSeconds=5', …]` → `{ quietSeconds: '5' }`. Throws ParameterError for one without `=`. */
export function parsePairs(pairs) {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new ParameterError(`parameter: expected name=value, got "${pair}"`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
