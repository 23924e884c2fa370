/** What tasks need of the world around: functions, events, topics, objects. One small interface, satisfied outside. */
export interface PutEventsEntry {
  readonly Source?: string;
  readonly DetailType?: string;
  /** JSON text. */
  readonly Detail?: string;
  readonly EventBusName?: string;
  readonly Resources?: readonly string[];
  readonly Time?: string | number;
}

export interface ListedObject {
  readonly Key: string;
  readonly Size: number;
  readonly Etag: string;
  readonly LastModified: string | number | Date;
}

export interface TaskServices {
  /**
   * Runs a function (name or ARN) and gives its answer. What it throws fails the task: Error is the thrown `name`, Cause
   * its message.
   */
  invokeFunction(functionName: string, payload: unknown, options: { signal: AbortSignal }): Promise<unknown>;
  putEvents(entries: PutEventsEntry[]): Promise<{ FailedEntryCount: number; Entries: unknown[] }>;
  publish(request: { TopicArn: string; Message: string; Subject?: string }): Promise<{ MessageId: string }>;
  readObject(bucket: string, key: string): Promise<Uint8Array>;
  /** All objects below the prefix, in key order. */
  listObjects(bucket: string, prefix: string): AsyncIterable<ListedObject>;
  writeObject(bucket: string, key: string, body: Uint8Array | string): Promise<void>;
}
