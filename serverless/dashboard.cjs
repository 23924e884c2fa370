/**
 * The dashboard as the text that CloudWatch wants: eight graphs, two a row, in the order in which an operator asks: what
 * came in, what became of it, is it proven, what waits, how long it takes, does everything work.
 */
const own = (...names) => names.map((name) => ['Isocenter', name, 'Stack', `\${AWS::StackName}`]);

const GRAPHS = [
  [
    'Objects by outcome',
    'Sum',
    own('ObjectsIngested', 'ObjectsDuplicate', 'ObjectsRejected', 'ObjectsFailed'),
  ],
  ['Frames', 'Sum', own('FramesVerified', 'FramesMismatched')],
  ['Waiting in the inbox: uploads', 'Maximum', own('UploadsWaiting')],
  ['Waiting in the inbox: the oldest object (seconds)', 'Maximum', own('OldestObjectSeconds')],
  [
    'Seconds per stage',
    'Average',
    own('InspectSeconds', 'ImportSeconds', 'VerifySeconds', 'MergeSeconds', 'ReportSeconds'),
  ],
  ['Bytes received', 'Sum', own('BytesReceived')],
  [
    'Executions',
    'Sum',
    ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut'].map((name) => [
      'AWS/States',
      name,
      'StateMachineArn',
      `\${Ingest}`,
    ]),
  ],
  [
    'HealthImaging calls, and events that nobody could handle',
    'Sum',
    [
      ['AWS/HealthImaging', 'CallCount', 'DatastoreId', `\${DatastoreId}`],
      ['AWS/SQS', 'ApproximateNumberOfMessagesVisible', 'QueueName', `\${DeadLetters}`],
    ],
  ],
];

const WIDTH = 12;
const HEIGHT = 6;

const widget = ([title, stat, metrics], index) => ({
  type: 'metric',
  x: (index % 2) * WIDTH,
  y: Math.floor(index / 2) * HEIGHT,
  width: WIDTH,
  height: HEIGHT,
  properties: { title, stat, metrics, period: 300, region: `\${AWS::Region}`, view: 'timeSeries' },
});

module.exports = async () => JSON.stringify({ widgets: GRAPHS.map(widget) });
