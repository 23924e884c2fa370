/** The shape of an event on an EventBridge bus, as services send it and rules match it. */
export interface EventBridgeEvent {
  readonly version: '0';
  /** UUID v4. */
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, UTC, whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}
