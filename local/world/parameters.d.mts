export class ParameterError extends Error {}
export interface ParameterRule {
  readonly Type: string;
  readonly Default?: string;
  readonly AllowedPattern?: string;
  readonly AllowedValues?: readonly string[];
  readonly Description?: string;
}
/** One of a template's Rules. */
export interface ParametersRule {
  readonly Assertions: readonly { readonly Assert: unknown; readonly AssertDescription: string }[];
}
export function parseParameters(
  rules: Readonly<Record<string, ParameterRule>>,
  given: Readonly<Record<string, string>>,
  between?: Readonly<Record<string, ParametersRule>>,
): Record<string, string>;
export function parsePairs(pairs: readonly string[]): Record<string, string>;
