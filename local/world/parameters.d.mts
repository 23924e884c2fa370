export class ParameterError extends Error {}
export interface ParameterRule {
  readonly Type: string;
  readonly Default?: string;
  readonly AllowedPattern?: string;
  readonly AllowedValues?: readonly string[];
  readonly Description?: string;
}
export function parseParameters(
  rules: Readonly<Record<string, ParameterRule>>,
  given: Readonly<Record<string, string>>,
): Record<string, string>;
export function parsePairs(pairs: readonly string[]): Record<string, string>;
