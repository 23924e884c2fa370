/** Files and folders as browsers hand them over, each with its path. */

export interface ChosenFile {
  readonly path: string;
  readonly file: File;
}

export interface Chosen {
  readonly files: readonly ChosenFile[];
  /** What the browser cannot read: a file, or a folder with all that may be in it. */
  readonly unread: readonly string[];
}

export function fromInput(list: FileList | null): Chosen {
  const files = [...(list ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  return { files, unread: [] };
}

/** Folders are walked; every file is taken, hidden ones too. Undefined when text or a link was dropped. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen | undefined> {
  // Both are emptied when the event is over: they are read before the first wait.
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  if (entries.length === 0) return transfer.files.length > 0 ? fromInput(transfer.files) : undefined;
  const found = { files: [], unread: [] };
  for (const entry of entries) await walk(entry, found);
  return found;
}

interface Found {
  readonly files: ChosenFile[];
  readonly unread: string[];
}

async function walk(entry: FileSystemEntry, found: Found): Promise<void> {
  const path = entry.fullPath.replace(/^\//, '');
  try {
    if (entry.isFile) found.files.push({ path, file: await fileOf(entry as FileSystemFileEntry) });
    else for (const one of await entriesOf(entry as FileSystemDirectoryEntry)) await walk(one, found);
  } catch {
    found.unread.push(entry.isFile ? path : `${path}/`);
  }
}

const fileOf = (entry: FileSystemFileEntry) =>
  new Promise<File>((resolve, reject) => entry.file(resolve, reject));

async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // A reader gives at most a hundred entries a call, and none when it is through.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
