import { expect, it } from 'vitest';
import { metricsLine, sweepMetrics } from '../../shared/ingest/metrics.ts';

it('writes metrics as CloudWatch reads them from a log: every name that it lists has a value', () => {
  const line = JSON.parse(
    metricsLine('prod', sweepMetrics({ waiting: 2, oldestSeconds: 90 }), 1_700_000_000_000),
  );
  const [directive] = line._aws.CloudWatchMetrics;
  expect(line._aws.Timestamp).toBe(1_700_000_000_000);
  expect(directive).toMatchObject({ Namespace: 'Isocenter', Dimensions: [['Stack']] });
  expect(line.Stack).toBe('prod');
  for (const { Name } of directive.Metrics) expect(typeof line[Name]).toBe('number');
  expect(line).toMatchObject({ UploadsWaiting: 2, OldestObjectSeconds: 90 });
});
