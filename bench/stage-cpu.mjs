/** Processor time of processes over time (Linux, /proc), and how it falls on the states of an execution. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
} from '@aws-sdk/client-sfn';

const SAMPLE_MS = 100;

/** Clock ticks a second, as /proc counts them. */
const ticks = () => Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system seconds of a process so far, all threads; 0 where it is not known. */
export async function cpuSeconds(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
const TICKS = process.platform === 'linux' ? ticks() : 100;

/** Takes samples until `stop`, which gives them: `[{ at, seconds }]`, milliseconds since 1970. */
export function sampleCpu(pid) {
  const samples = [];
  const take = async () => {
    const seconds = await cpuSeconds(pid);
    if (seconds > 0) samples.push({ at: Date.now(), seconds });
  };
  void take();
  const timer = setInterval(take, SAMPLE_MS);
  return {
    async stop() {
      clearInterval(timer);
      await take();
      return samples;
    },
  };
}

/** The seconds at a moment, between the two samples around it. */
function secondsAt(samples, at) {
  const after = samples.findIndex((sample) => sample.at >= at);
  if (after < 0) return samples.at(-1)?.seconds ?? 0;
  if (after === 0) return samples[0].seconds;
  const [a, b] = [samples[after - 1], samples[after]];
  return a.seconds + ((b.seconds - a.seconds) * (at - a.at)) / Math.max(1, b.at - a.at);
}

/** When each state of the longest execution began: `[{ state, at }]` in order, `end` the last. */
export async function stateTimes(sfn, stateMachineArn) {
  const { executions } = await sfn.send(new ListExecutionsCommand({ stateMachineArn }));
  const lengths = executions.map((one) => ({ ...one, ms: Number(one.stopDate) - Number(one.startDate) }));
  const { executionArn, startDate, stopDate } = lengths.sort((a, b) => b.ms - a.ms)[0];
  const times = [{ state: 'start', at: Number(startDate) }];
  let nextToken;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, nextToken, maxResults: 1000 }),
    );
    for (const { stateEnteredEventDetails, timestamp } of page.events)
      if (stateEnteredEventDetails)
        times.push({ state: stateEnteredEventDetails.name, at: Number(timestamp) });
    nextToken = page.nextToken;
  } while (nextToken);
  await sfn.send(new DescribeExecutionCommand({ executionArn }));
  return [...times, { state: 'end', at: Number(stopDate) }];
}

/** `{ stage, seconds, cpuSeconds }` for the upload, each state of note, and what comes after. */
export function byStage(samples, times, from, to) {
  const stages = new Map();
  const add = (stage, begin, end) => {
    const known = stages.get(stage) ?? { stage, seconds: 0, cpuSeconds: 0 };
    known.seconds += (end - begin) / 1000;
    known.cpuSeconds += secondsAt(samples, end) - secondsAt(samples, begin);
    stages.set(stage, known);
  };
  add('upload and wait for the start', from, times[0].at);
  times.slice(0, -1).forEach(({ state, at }, n) => {
    add(state, at, times[n + 1].at);
  });
  add('after the execution', times.at(-1).at, to);
  return [...stages.values()]
    .filter(({ seconds, cpuSeconds }) => seconds >= 0.1 || cpuSeconds >= 0.1)
    .map(({ stage, seconds, cpuSeconds }) => ({
      stage,
      seconds: Number(seconds.toFixed(1)),
      cpuSeconds: Number(cpuSeconds.toFixed(1)),
    }));
}
