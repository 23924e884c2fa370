/** Root may read and write everything: what a missing permission does is seen only as somebody else. */

const NOBODY = 65_534;

/** Runs `action` without root's rights (effective user `nobody`), and takes them back whatever it does. */
export async function unprivileged<Result>(action: () => Result | Promise<Result>): Promise<Result> {
  if (process.geteuid?.() !== 0) return action();
  process.seteuid?.(NOBODY);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}
