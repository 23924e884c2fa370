/**
 * What this browser keeps of an upload, so that a reload or a break costs little: which files have arrived, by digest of
 * path, size and time (paths may name patients), and how the store calls the parts of large ones.
 */

export interface KeptUpload {
  readonly upload: string;
  readonly files: number;
  readonly bytes: number;
  /** All files that could be sent are there: only the outcome is waited for. */
  readonly isSent: boolean;
  /** Digests of files that have arrived. */
  readonly arrived: readonly string[];
  /** The store's name of a large file's parts, by digest. */
  readonly parts: Readonly<Record<string, string>>;
}

const KEY = 'isocenter-upload';
/** Above this many files only that there was an upload is kept: a second sending of a file is harmless. */
const MOST_FILES = 50_000;

export function readKept(): KeptUpload | undefined {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? 'null') as KeptUpload | null;
    return value !== null && typeof value.upload === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

export const forgetKept = (): void => localStorage.removeItem(KEY);

/** Keeps what changes, at most twice a second. */
export function makeKeeper(kept: KeptUpload) {
  const arrived = new Set(kept.arrived);
  const parts = { ...kept.parts };
  let { isSent, files, bytes } = kept;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    timer = undefined;
    const list = arrived.size > MOST_FILES ? [] : [...arrived];
    const value: KeptUpload = { upload: kept.upload, files, bytes, isSent, arrived: list, parts };
    try {
      localStorage.setItem(KEY, JSON.stringify(value));
    } catch {
      // No room, or not allowed: the upload goes on, and only a reload would begin anew.
    }
  };
  const soon = () => {
    timer ??= setTimeout(write, 500);
  };
  write();
  return {
    hasArrived: (digest: string) => arrived.has(digest),
    partsOf: (digest: string) => parts[digest],
    setParts(digest: string, partsId: string | undefined) {
      if (partsId === undefined) delete parts[digest];
      else parts[digest] = partsId;
      write();
    },
    setArrived(digest: string) {
      arrived.add(digest);
      delete parts[digest];
      soon();
    },
    setSent() {
      isSent = true;
      clearTimeout(timer);
      write();
    },
    grow(more: { files: number; bytes: number }) {
      files = Math.max(files, more.files);
      bytes = Math.max(bytes, more.bytes);
      write();
    },
    close() {
      clearTimeout(timer);
      forgetKept();
    },
  };
}

export type Keeper = ReturnType<typeof makeKeeper>;

/** Names a file without telling its path. */
export async function digestOf(path: string, file: File): Promise<string> {
  const text = new TextEncoder().encode(`${path}\n${file.size}\n${file.lastModified}`);
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  return [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
