/** What the local service counts, from its `/metrics`. */
import type { Metric } from '../../shared/console/backend.ts';

export async function readMetrics(healthImagingUrl: string): Promise<Metric[]> {
  const response = await fetch(`${healthImagingUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  return response.ok ? parseMetrics(await response.text()) : [];
}

/** Lines `AWS_HealthImaging_Name{Label="value"} 1` of the Prometheus text format. Pure. */
export function parseMetrics(text: string): Metric[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^AWS_HealthImaging_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}
