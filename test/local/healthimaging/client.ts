/** The official client, pointed at a server under test, and a wait for what happens in the background. */
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';

export function clientFor(server: { readonly endpoint: string }): MedicalImagingClient {
  return new MedicalImagingClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    disableHostPrefix: true,
    maxAttempts: 1,
  });
}

/** Asks every 10 ms until the answer is true; throws after `timeoutMs`. */
export async function eventually(ask: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!(await ask())) {
    if (Date.now() > until) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
