/** Decodes stored frames off the page's own thread. One at a time, in the order asked; cancelled ones are skipped. */
import { decodeFrame, setCodecUrl } from '../../shared/verify/browser.ts';
import type { Asked, Told } from './worker-messages.ts';

setCodecUrl(new URL('.', self.location.href));

const skipped = new Set<number>();
let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<Asked>) => {
  const { data } = event;
  if (data.kind === 'cancel') skipped.add(data.id);
  else turn = turn.then(() => decode(data));
});

async function decode({ id, encoded, level }: Extract<Asked, { kind: 'decode' }>): Promise<void> {
  if (skipped.delete(id)) return tell({ id, kind: 'problem', message: 'cancelled' });
  try {
    const { pixels, ...rest } = await decodeFrame(new Uint8Array(encoded), { level });
    const own = pixels.slice();
    tell({ id, kind: 'frame', frame: { ...rest, pixels: own } }, [own.buffer]);
  } catch (error) {
    tell({ id, kind: 'problem', message: (error as Error).message });
  }
}

function tell(told: Told, transfer: Transferable[] = []): void {
  postMessage(told, { transfer });
}
