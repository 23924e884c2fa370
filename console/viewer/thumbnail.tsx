/** The middle frame of an image set, small: decoded from a low resolution level when it comes into view. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { framesOf, type MetadataDocument } from '../image-sets/document.ts';
import { get } from '../server.ts';
import { paint } from './canvas.ts';
import { loadFrame } from './frames.ts';
import { lookOf, windowOfValues } from './pixels.ts';

const LEVEL = 2;

export function Thumbnail({
  imageSetId,
  onDocument,
}: {
  readonly imageSetId: string;
  /** Told what it read to find its frame. */
  readonly onDocument?: (document: MetadataDocument) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const state = useSignal<'waiting' | 'drawn' | 'none'>('waiting');
  useEffect(() => {
    const abort = new AbortController();
    const draw = async () => {
      try {
        const document = await get<MetadataDocument>(`image-sets/${imageSetId}/metadata`, abort.signal);
        onDocument?.(document);
        const frames = framesOf(document);
        const shown = frames[Math.floor(frames.length / 2)];
        if (!shown) throw new Error('no frames');
        const options = { signal: abort.signal, level: LEVEL };
        const frame = await loadFrame(imageSetId, shown.frame.ID, options);
        const look = lookOf(shown.instance.DICOM);
        if (canvas.current) paint(canvas.current, frame, look, look.window ?? windowOfValues(frame, look));
        state.value = 'drawn';
      } catch {
        if (!abort.signal.aborted) state.value = 'none';
      }
    };
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      void draw();
    });
    if (canvas.current) observer.observe(canvas.current);
    return () => {
      observer.disconnect();
      abort.abort();
    };
  }, [imageSetId]);
  return (
    <span class={`thumbnail ${state.value}`}>
      <canvas ref={canvas} width="64" height="64" />
      {state.value !== 'drawn' && <span>{state.value === 'none' ? 'no image' : '…'}</span>}
    </span>
  );
}
