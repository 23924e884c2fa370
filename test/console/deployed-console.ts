/**
 * The console as it is deployed, for tests: the packaged functions in a local world, an HTTP API before them that is wired
 * as the template says, and a provider that signs people in. What the template says of addresses that only AWS gives is
 * replaced in a copy: the API's own, and that an issuer has HTTPS.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceCall } from '../../local/world/service-calls.ts';
import { startWorld, type World } from '../../local/world/world.ts';
import { type GatewayFront, startGatewayFront } from './gateway-front.ts';
import { startOpenIdProvider, type TestOpenIdProvider } from './openid-provider.ts';

export interface DeployedConsole {
  readonly world: World;
  readonly front: GatewayFront;
  readonly provider: TestOpenIdProvider;
  /** What the two functions asked of services. */
  readonly calls: readonly (ServiceCall & { readonly functionName: string })[];
  readonly dataDir: string;
  readonly templatePath: string;
  readonly parameters: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export const CLIENT_ID = 'isocenter-console';
const root = join(import.meta.dirname, '../..');

export async function startDeployedConsole(
  options: { readonly tokenSeconds?: number } = {},
): Promise<DeployedConsole> {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-deployed-'));
  const template = await readFile(join(root, 'local/template.json'), 'utf8');
  const calls: (ServiceCall & { functionName: string })[] = [];
  let world: World | undefined;
  const redirectUris = () => [`${front.url}/`];
  const provider = await startOpenIdProvider({ clientId: CLIENT_ID, redirectUris, ...options });
  const { issuer } = provider;
  const front = await startGatewayFront({
    template: JSON.parse(template) as Parameters<typeof startGatewayFront>[0]['template'],
    issuer,
    clientId: CLIENT_ID,
    invoke: async (event) => invoke(world as World, 'isocenter-local-serveConsole', event),
  });
  const parameters = { consoleIssuer: issuer, consoleClientId: CLIENT_ID };
  const templatePath = join(dataDir, 'template.json');
  await writeFile(templatePath, JSON.stringify(ofThisMachine(JSON.parse(template), front.url)));
  world = await startWorld({
    dataDir: join(dataDir, 'world'),
    basePort: 0,
    templatePath,
    parameters,
    onCall: (functionName, call) => calls.push({ ...call, functionName }),
  });
  const running = world;
  return {
    world,
    front,
    provider,
    calls,
    dataDir,
    templatePath,
    parameters,
    async close() {
      await Promise.all([front.close(), provider.close(), running.close()]);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

interface Changed {
  Parameters: { consoleIssuer: { AllowedPattern: string } };
}

/** The issuer may be one without HTTPS; the API's address is the front's. */
function ofThisMachine(template: Changed, frontUrl: string): Changed {
  template.Parameters.consoleIssuer.AllowedPattern = '.*';
  const address = JSON.stringify({ 'Fn::GetAtt': ['ConsoleApi', 'ApiEndpoint'] });
  return JSON.parse(JSON.stringify(template).replaceAll(address, JSON.stringify(frontUrl))) as Changed;
}

/** Lambda's Invoke. Rejects where the function failed. */
async function invoke({ servicesUrl }: World, functionName: string, event: object): Promise<unknown> {
  const answer = await fetch(`${servicesUrl}/2015-03-31/functions/${functionName}/invocations`, {
    method: 'POST',
    body: JSON.stringify(event),
  });
  if (!answer.ok || answer.headers.has('x-amz-function-error'))
    throw new Error(`the function failed: ${await answer.text()}`);
  return answer.json();
}
