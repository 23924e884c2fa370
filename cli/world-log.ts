/** What the local world says about itself goes to `DIR/logs/world.log`, so that a terminal shows only the command. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A log that never disturbs: a full disk loses the line, not the world. */
export function worldLog(dataDir: string): (line: string) => void {
  const folder = join(dataDir, 'logs');
  return (line) => {
    try {
      mkdirSync(folder, { recursive: true });
      appendFileSync(join(folder, 'world.log'), `${new Date().toISOString()} ${line}\n`);
    } catch {
      // Nowhere left to say it.
    }
  };
}
