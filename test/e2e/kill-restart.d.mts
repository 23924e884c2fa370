export function crashMany(times: number, seed: number, log: (line: string) => void): Promise<void>;
