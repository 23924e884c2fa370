/** The middle frame of an image set, small: its low resolutions only, and not before it comes into view. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { framesOf, type MetadataDocument, numberOf, type Shown } from '../image-sets/document.ts';
import { reconnections } from '../live.ts';
import { get, ServerProblem } from '../server.ts';
import { paint } from './canvas.ts';
import { loadSmallFrame } from './frames.ts';
import { lookOf, windowOfValues } from './pixels.ts';

/** As wide or high as it is shown on a fine screen. */
const SIDE_PX = 160;

const SAYS = {
  waiting: '…',
  none: 'no image',
  undecodable: 'this frame cannot be shown',
  unanswered: 'not loaded',
} as const;

/** Halvings that bring both sides to what is shown. */
function levelFor({ instance: { DICOM } }: Shown): number {
  const side = Math.max(numberOf(DICOM.Rows) ?? 0, numberOf(DICOM.Columns) ?? 0);
  return Math.max(0, Math.ceil(Math.log2(side / SIDE_PX)));
}

export function Thumbnail({
  imageSetId,
  onDocument,
}: {
  readonly imageSetId: string;
  /** Told what it read to find its frame. */
  readonly onDocument?: (document: MetadataDocument) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const state = useSignal<keyof typeof SAYS | 'drawn'>('waiting');
  const isOpen = () => state.peek() === 'waiting' || state.peek() === 'unanswered';
  useEffect(() => {
    if (!isOpen()) return;
    const abort = new AbortController();
    const draw = async () => {
      try {
        const document = await get<MetadataDocument>(`image-sets/${imageSetId}/metadata`, abort.signal);
        onDocument?.(document);
        const frames = framesOf(document);
        const shown = frames[Math.floor(frames.length / 2)];
        if (!shown) {
          state.value = 'none';
          return;
        }
        const options = { signal: abort.signal, level: levelFor(shown) };
        const frame = await loadSmallFrame(imageSetId, shown.frame.ID, options);
        const look = lookOf(shown.instance.DICOM);
        if (canvas.current) paint(canvas.current, frame, look, look.window ?? windowOfValues(frame, look));
        state.value = 'drawn';
      } catch (error) {
        if (abort.signal.aborted) return;
        state.value = error instanceof ServerProblem ? 'unanswered' : 'undecodable';
      }
    };
    // What was not answered is asked for again when the server is back, or when it comes into view once more.
    let isAsked = false;
    const observer = new IntersectionObserver((entries) => {
      if (isAsked || !isOpen() || !entries.some(({ isIntersecting }) => isIntersecting)) return;
      isAsked = true;
      void draw().finally(() => {
        isAsked = false;
      });
    });
    if (canvas.current) observer.observe(canvas.current);
    return () => {
      observer.disconnect();
      abort.abort();
    };
  }, [imageSetId, reconnections.value]);
  return (
    <span class={`thumbnail ${state.value}`}>
      <canvas ref={canvas} width="64" height="64" />
      {state.value !== 'drawn' && <span>{SAYS[state.value]}</span>}
    </span>
  );
}
