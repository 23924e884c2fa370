/** Frames of an image set, one at a time: scroll, play, window and level. Not for diagnosis. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { numberOf, type Shown } from '../image-sets/document.ts';
import { paint } from './canvas.ts';
import { type DecodedFrame, loadFrame } from './frames.ts';
import { type Look, lookOf, samplesOf, type Window, windowOfValues } from './pixels.ts';

interface Drawn {
  readonly frame: DecodedFrame;
  readonly look: Look;
  readonly window: Window;
}

export function Viewer({
  imageSetId,
  frames,
}: {
  readonly imageSetId: string;
  readonly frames: readonly Shown[];
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const index = useSignal(Math.floor(frames.length / 2));
  const chosen = useSignal<Window | undefined>(undefined);
  const drawn = useSignal<Drawn | undefined>(undefined);
  const problem = useSignal('');
  const round = useSignal(0);
  const isCoarse = useSignal(false);
  const isPlaying = useSignal(false);
  const probe = useSignal('');
  const shown = frames[index.value];

  const show = (frame: DecodedFrame, look: Look) => {
    const window = chosen.peek() ?? look.window ?? windowOfValues(frame, look);
    if (canvas.current) paint(canvas.current, frame, look, window);
    // Tells which frame the picture is of.
    if (canvas.current) canvas.current.dataset.frame = String(index.peek());
    drawn.value = { frame, look, window };
  };
  useEffect(() => {
    if (!shown) return;
    const abort = new AbortController();
    const look = lookOf(shown.instance.DICOM);
    problem.value = '';
    const onCoarse = (frame: DecodedFrame) => {
      isCoarse.value = true;
      show(frame, look);
    };
    loadFrame(imageSetId, shown.frame.ID, { signal: abort.signal, onCoarse })
      .then((frame) => {
        if (abort.signal.aborted) return;
        isCoarse.value = false;
        show(frame, look);
      })
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        drawn.value = undefined;
        problem.value = (error as Error).message;
      });
    return () => abort.abort();
  }, [imageSetId, shown?.frame.ID, round.value]);
  useEffect(() => {
    if (!isPlaying.value) return;
    const perSecond = framesPerSecond(shown);
    const timer = setInterval(() => move(1, true), 1000 / perSecond);
    return () => clearInterval(timer);
  }, [isPlaying.value]);

  const move = (by: number, isRound = false) => {
    const next = index.peek() + by;
    index.value = isRound
      ? (next + frames.length) % frames.length
      : Math.min(frames.length - 1, Math.max(0, next));
  };
  const setWindow = (window: Window | undefined) => {
    chosen.value = window;
    const now = drawn.peek();
    if (now) show(now.frame, now.look);
  };
  const changeWindow = (centreBy: number, widthBy: number) => {
    const now = drawn.peek();
    if (!now || now.frame.samplesPerPixel > 1) return;
    const step = Math.max(1, now.window.width / 256);
    setWindow({
      centre: now.window.centre + centreBy * step,
      width: Math.max(1, now.window.width + widthBy * step),
    });
  };
  const onKey = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[
      event.key
    ];
    if (event.shiftKey && by !== undefined) {
      if (event.key === 'ArrowUp' || event.key === 'ArrowDown') changeWindow(by * 8, 0);
      else changeWindow(0, by * 8);
    } else if (by !== undefined) move(by);
    else if (event.key === 'Home') index.value = 0;
    else if (event.key === 'End') index.value = frames.length - 1;
    else if (event.key === ' ') isPlaying.value = !isPlaying.value;
    else if (event.key === 'Escape' || event.key === '0') setWindow(undefined);
    else return;
    event.preventDefault();
  };
  // Passive listeners cannot keep the page from scrolling: this one is added by hand.
  useEffect(() => {
    const element = canvas.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      move(Math.sign(event.deltaY));
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, []);
  const onDrag = (event: PointerEvent) => {
    const element = event.currentTarget as HTMLCanvasElement;
    if (event.buttons === 1) changeWindow(event.movementY, event.movementX);
    probe.value = probeText(element, event, drawn.peek());
  };
  if (!shown) return <p class="empty">This image set has no frames.</p>;
  const { instance } = shown;
  return (
    <div class="viewer">
      <div class="screen">
        <canvas
          ref={canvas}
          role="img"
          aria-label={`Frame ${index.value + 1} of ${frames.length}. Arrow keys scroll, Shift and arrow keys change window and level, Space plays.`}
          tabIndex={0}
          onKeyDown={onKey}
          onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={onDrag}
          onPointerLeave={() => {
            probe.value = '';
          }}
          onDblClick={() => setWindow(undefined)}
        />
        <span class="not-for-diagnosis">Not for diagnosis</span>
        {problem.value !== '' && (
          <div class="screen-problem" role="alert">
            <p>This frame cannot be shown: {problem.value}</p>
            <button
              type="button"
              onClick={() => {
                round.value++;
              }}
            >
              Try again
            </button>
          </div>
        )}
        {problem.value === '' && (drawn.value === undefined || isCoarse.value) && (
          <span class="screen-busy" role="status">
            {isCoarse.value ? 'Sharpening…' : 'Decoding…'}
          </span>
        )}
        <span class="screen-note">
          {drawn.value && windowText(drawn.value)} {probe.value}
        </span>
      </div>
      <div class="row controls">
        <button type="button" onClick={() => move(-1)} aria-label="Previous frame">
          ‹
        </button>
        <button
          type="button"
          aria-pressed={isPlaying.value}
          disabled={frames.length < 2}
          onClick={() => {
            isPlaying.value = !isPlaying.value;
          }}
        >
          {isPlaying.value ? 'Stop' : 'Play'}
        </button>
        <button type="button" onClick={() => move(1)} aria-label="Next frame">
          ›
        </button>
        <input
          type="range"
          min={0}
          max={frames.length - 1}
          value={index.value}
          aria-label="Frame"
          onInput={(event) => {
            index.value = Number(event.currentTarget.value);
          }}
        />
        <output>
          {index.value + 1}/{frames.length}
        </output>
        <Presets drawn={drawn.value} isHounsfield={shown.modality === 'CT'} setWindow={setWindow} />
      </div>
      <p class="dim frame-facts">
        Instance {String(instance.DICOM.InstanceNumber ?? '?')}
        {shown.framesOfInstance > 1 && `, frame ${shown.frameNumber} of ${shown.framesOfInstance}`}
        {drawn.value && ` · ${factsOf(drawn.value)}`} · {checksumText(shown, drawn.value, isCoarse.value)}
      </p>
    </div>
  );
}

function Presets(props: {
  readonly drawn: Drawn | undefined;
  readonly isHounsfield: boolean;
  readonly setWindow: (window: Window | undefined) => void;
}) {
  const { drawn, isHounsfield, setWindow } = props;
  if (!drawn || drawn.frame.samplesPerPixel > 1) return null;
  return (
    <span class="buttons">
      <button type="button" onClick={() => setWindow(undefined)}>
        As stored
      </button>
      <button type="button" onClick={() => setWindow(windowOfValues(drawn.frame, drawn.look))}>
        All values
      </button>
      {isHounsfield && (
        <>
          <button type="button" onClick={() => setWindow({ centre: 40, width: 400 })}>
            Soft tissue
          </button>
          <button type="button" onClick={() => setWindow({ centre: -600, width: 1500 })}>
            Lung
          </button>
          <button type="button" onClick={() => setWindow({ centre: 400, width: 1800 })}>
            Bone
          </button>
        </>
      )}
    </span>
  );
}

/** CineRate, or the time of a frame in milliseconds (PS3.3 C.7.6.5), within what a browser draws. */
function framesPerSecond(shown: Shown | undefined): number {
  const { CineRate, FrameTime } = shown?.instance.DICOM ?? {};
  const time = numberOf(FrameTime);
  return Math.min(30, Math.max(1, numberOf(CineRate) ?? (time ? 1000 / time : 12)));
}

const rounded = (value: number) => String(Math.round(value * 10) / 10);

function windowText({ window, frame }: Drawn): string {
  return frame.samplesPerPixel > 1 ? '' : `C ${rounded(window.centre)} W ${rounded(window.width)}`;
}

function factsOf({ frame, look }: Drawn): string {
  const sign = frame.signed ? 'signed' : 'unsigned';
  return `${frame.columns} × ${frame.rows}, ${frame.bitsStored} bit ${sign}, ${look.photometric}`;
}

/** What the browser decoded against the checksum that the service recorded at the import. */
function checksumText({ frame }: Shown, drawn: Drawn | undefined, isCoarse: boolean): string {
  const expected = frame.PixelDataChecksumFromBaseToFullResolution?.at(-1)?.Checksum;
  if (expected === undefined) return 'no checksum recorded';
  if (!drawn || isCoarse) return 'checksum not compared yet';
  return drawn.frame.crc32 === expected ? 'checksum matches' : 'CHECKSUM DOES NOT MATCH';
}

function probeText(canvas: HTMLCanvasElement, event: PointerEvent, drawn: Drawn | undefined): string {
  if (!drawn) return '';
  const box = canvas.getBoundingClientRect();
  // The picture keeps its shape within the canvas' box (object-fit: contain).
  const scale = Math.min(box.width / drawn.frame.columns, box.height / drawn.frame.rows);
  const x = Math.floor((event.clientX - box.left - (box.width - drawn.frame.columns * scale) / 2) / scale);
  const y = Math.floor((event.clientY - box.top - (box.height - drawn.frame.rows * scale) / 2) / scale);
  const { samplesPerPixel, columns, rows } = drawn.frame;
  if (x < 0 || y < 0 || x >= columns || y >= rows) return '';
  const samples = samplesOf(drawn.frame);
  const at = (y * columns + x) * samplesPerPixel;
  const values = Array.from({ length: samplesPerPixel }, (_, n) => samples[at + n] as number);
  const told =
    samplesPerPixel === 1
      ? rounded((values[0] as number) * drawn.look.slope + drawn.look.intercept)
      : values.join(' ');
  return `· (${x}, ${y}) ${told}`;
}
