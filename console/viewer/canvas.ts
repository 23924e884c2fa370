/** Puts a frame on a canvas of the frame's own size; style sheets scale it. */
import { type Frame, type Look, toRgba, type Window } from './pixels.ts';

export function paint(canvas: HTMLCanvasElement, frame: Frame, look: Look, window: Window): void {
  if (canvas.width !== frame.columns) canvas.width = frame.columns;
  if (canvas.height !== frame.rows) canvas.height = frame.rows;
  const image = new ImageData(toRgba(frame, look, window), frame.columns, frame.rows);
  canvas.getContext('2d', { alpha: false })?.putImageData(image, 0, 0);
}
