/** What the template says of a bucket, as the local store takes it. */
import type { CorsRule } from '../s3/cors.ts';
import type { Resource } from './template.ts';

interface BucketProperties {
  readonly NotificationConfiguration?: {
    readonly EventBridgeConfiguration?: { EventBridgeEnabled?: boolean };
  };
  readonly CorsConfiguration?: { readonly CorsRules?: readonly TemplateRule[] };
}
/** `AWS::S3::Bucket CorsRule`. */
interface TemplateRule {
  readonly AllowedOrigins: readonly string[];
  readonly AllowedMethods: readonly string[];
  readonly AllowedHeaders?: readonly string[];
  readonly ExposedHeaders?: readonly string[];
  readonly MaxAge?: number;
  readonly Id?: string;
}

/** Without rules in the template the list is empty: what an earlier start had goes. */
export function bucketOptions(properties: Resource['properties']): {
  eventBridge: boolean;
  cors: readonly CorsRule[];
} {
  const { NotificationConfiguration, CorsConfiguration } = properties as BucketProperties;
  const events = NotificationConfiguration?.EventBridgeConfiguration;
  return {
    eventBridge: events !== undefined && events.EventBridgeEnabled !== false,
    cors: (CorsConfiguration?.CorsRules ?? []).map(toRule),
  };
}

const toRule = (rule: TemplateRule): CorsRule => ({
  allowedOrigins: rule.AllowedOrigins,
  allowedMethods: rule.AllowedMethods,
  allowedHeaders: rule.AllowedHeaders ?? [],
  exposeHeaders: rule.ExposedHeaders ?? [],
  ...(rule.MaxAge === undefined ? {} : { maxAgeSeconds: Number(rule.MaxAge) }),
  ...(rule.Id === undefined ? {} : { id: rule.Id }),
});
