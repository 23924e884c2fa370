/** A drop beside the place for it changes nothing: by itself a browser would leave the page, and end an upload with it. */

export function keepDropsOnThePage(): void {
  for (const kind of ['dragover', 'drop'] as const)
    addEventListener(kind, (event) => {
      if (event.defaultPrevented || takesText(event)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = 'none';
    });
}

/** A text may be dropped on a field, a file may not. */
const takesText = ({ target, dataTransfer }: DragEvent): boolean =>
  target instanceof HTMLElement &&
  target.matches('input, textarea') &&
  !dataTransfer?.types.includes('Files');
