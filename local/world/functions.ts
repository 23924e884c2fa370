/** The template's functions as the host runs them: the handler's file, and the environment that Lambda would give. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LocalFunction } from './function-host.ts';
import { TemplateError } from './intrinsics.ts';
import type { Place, Resource } from './template.ts';

export interface FunctionSurroundings {
  /** Where handlers' paths start. */
  readonly codeRoot: string;
  readonly place: Place;
  /** AWS_ENDPOINT_URL_… by service, and AWS_ENDPOINT_URL for the others. */
  readonly endpoints: Readonly<Record<string, string>>;
}

const MODULE_EXTENSIONS = ['.mjs', '.js', '.cjs'];

function findModule(resource: Resource, codeRoot: string): { modulePath: string; exportName: string } {
  const handler = String(resource.properties.Handler);
  const dot = handler.lastIndexOf('.');
  const base = join(codeRoot, handler.slice(0, dot));
  const extension = MODULE_EXTENSIONS.find((candidate) => existsSync(`${base}${candidate}`));
  if (dot < 1 || extension === undefined)
    throw new TemplateError(
      `${resource.logicalId}: Handler ${handler}: no such file below ${dirname(base)} (npm run build)`,
    );
  return { modulePath: `${base}${extension}`, exportName: handler.slice(dot + 1) };
}

/** Lambda's own variables, dummy credentials, and nothing of the user's AWS configuration. */
function environmentOf(resource: Resource, name: string, memoryMB: number, around: FunctionSurroundings) {
  const { Variables = {} } = (resource.properties.Environment ?? {}) as {
    Variables?: Record<string, unknown>;
  };
  return {
    ...Object.fromEntries(Object.entries(Variables).map(([key, value]) => [key, String(value)])),
    ...around.endpoints,
    AWS_DISABLE_HOST_PREFIX_INJECTION: 'true',
    AWS_REGION: around.place.region,
    AWS_DEFAULT_REGION: around.place.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMB),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
    LAMBDA_TASK_ROOT: around.codeRoot,
    TZ: ':UTC',
  };
}

/** Throws TemplateError when the handler's file is not there. Lambda's defaults: 3 seconds, 128 MB. */
export function toLocalFunction(resource: Resource, around: FunctionSurroundings): LocalFunction {
  const { Timeout = 3, MemorySize = 128, ReservedConcurrentExecutions } = resource.properties;
  const memoryMB = Number(MemorySize);
  return {
    name: resource.ref,
    arn: resource.attributes.Arn as string,
    ...findModule(resource, around.codeRoot),
    timeoutSeconds: Number(Timeout),
    memoryMB,
    env: environmentOf(resource, resource.ref, memoryMB, around),
    ...(ReservedConcurrentExecutions === undefined
      ? {}
      : { reservedConcurrency: Number(ReservedConcurrentExecutions) }),
  };
}
