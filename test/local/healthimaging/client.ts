/** The official client, pointed at a server under test, which holds every answer against the API model; and a wait for what happens in the background. */
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { answerProblems } from './check-answer.ts';
import { elsewhere } from './service-under-test.ts';

export function clientFor(server: { readonly endpoint: string }): MedicalImagingClient {
  const other = elsewhere?.endpoint === server.endpoint ? elsewhere : undefined;
  const client = new MedicalImagingClient(
    other
      ? other.client
      : {
          endpoint: server.endpoint,
          region: 'us-east-1',
          credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
          disableHostPrefix: true,
          maxAttempts: 1,
        },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const reply = await next(args);
      const operation = String(context.commandName).replace(/Command$/, '');
      const problems = answerProblems(operation, reply.output as unknown as Record<string, unknown>);
      if (problems.length > 0) throw new Error(`the answer breaks the API model: ${problems.join('; ')}`);
      return reply;
    },
    { step: 'initialize', name: 'answersByTheModel' },
  );
  return client;
}

/** Asks every 10 ms until the answer is true; throws after `timeoutMs`. */
export async function eventually(ask: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  // A service elsewhere takes its time.
  const until = Date.now() + timeoutMs * (elsewhere ? 60 : 1);
  while (!(await ask())) {
    if (Date.now() > until) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
