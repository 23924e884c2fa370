/** A tree of things that can be called off: an execution, its branches, its children, down to one running task. */
export type CancelReason =
  | { readonly kind: 'stopped'; readonly error?: string; readonly cause?: string }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'sibling' }
  | { readonly kind: 'closing' };

/** Thrown where work was called off; no Retry or Catch sees it. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  readonly reason: CancelReason;

  constructor(reason: CancelReason) {
    super(`called off: ${reason.kind}`);
    this.reason = reason;
  }
}

/** One node of the tree. Lighter than AbortSignal.any over 10,000 children, and it lets go of its parent. */
export class Cancellation {
  #reason: CancelReason | undefined;
  readonly #listeners = new Set<(reason: CancelReason) => void>();
  readonly #detach: () => void;

  constructor(parent?: Cancellation) {
    this.#detach = parent ? parent.onCancel((reason) => this.cancel(reason)) : () => {};
  }

  get reason(): CancelReason | undefined {
    return this.#reason;
  }

  cancel(reason: CancelReason): void {
    if (this.#reason) return;
    this.#reason = reason;
    for (const listener of [...this.#listeners]) listener(reason);
    this.#listeners.clear();
  }

  /** Calls back at once when already cancelled. Returns the way to stop listening. */
  onCancel(listener: (reason: CancelReason) => void): () => void {
    if (this.#reason) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The work below this node is over: the parent forgets it. */
  release(): void {
    this.#detach();
  }

  throwIfCancelled(): void {
    if (this.#reason) throw new Cancelled(this.#reason);
  }

  /** The promise's outcome, or Cancelled as soon as this node is, whether or not the work listens. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const stop = this.onCancel((reason) => reject(new Cancelled(reason)));
      work.then(resolve, reject).finally(stop);
    });
  }
}
