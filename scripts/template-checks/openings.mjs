/** What can be reached from outside the account: only pages without data, everything else by a token; who may send where. */

const list = (value) => [value ?? []].flat();
const text = (value) => JSON.stringify(value ?? '');

/** The one request below /api/ that comes before a token: what signing in needs to know. */
const BEFORE_SIGNING_IN = 'GET /api/session';

function checkRoute(logicalId, { RouteKey, AuthorizationType, AuthorizerId }, Resources) {
  if (AuthorizationType === 'JWT') {
    const authorizer = Resources[AuthorizerId?.Ref];
    return authorizer?.Type === 'AWS::ApiGatewayV2::Authorizer' ? [] : [`${logicalId}: names no authorizer`];
  }
  const [method, path = ''] = String(RouteKey).split(' ');
  const isOpen = RouteKey === BEFORE_SIGNING_IN || (method === 'GET' && !/^\/api(\/|$)/.test(path));
  return isOpen ? [] : [`${logicalId}: ${RouteKey} is open to anybody; only pages are (GET, not below /api)`];
}

/** An open `GET /{proxy+}` takes what is below /api as well, unless a longer path of the same method takes it. */
function checkShadows(Resources) {
  const routes = Object.values(Resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
  const keys = routes.map(({ Properties }) => Properties.RouteKey);
  return keys.includes('GET /{proxy+}') && !keys.includes('GET /api/{proxy+}')
    ? ['GET /{proxy+} is open and takes /api/ as well: no route GET /api/{proxy+} stands before it']
    : [];
}

function checkAuthorizer(logicalId, { AuthorizerType, IdentitySource, JwtConfiguration = {} }) {
  const { Issuer, Audience } = JwtConfiguration;
  return [
    ...(AuthorizerType === 'JWT' ? [] : [`${logicalId}: expected a JWT authorizer, got ${AuthorizerType}`]),
    ...(Issuer ? [] : [`${logicalId}: takes tokens of any issuer`]),
    ...(list(Audience).length > 0 ? [] : [`${logicalId}: takes tokens that are meant for others (Audience)`]),
    ...(text(IdentitySource) === '["$request.header.Authorization"]'
      ? []
      : [`${logicalId}: a token anywhere but in the header ends in logs`]),
  ];
}

function checkStage(logicalId, { DefaultRouteSettings = {}, AccessLogSettings }) {
  const format = AccessLogSettings?.Format ?? '';
  const claims = [...format.matchAll(/\$context\.authorizer\.claims\.(\w+)/g)].map(([, claim]) => claim);
  return [
    ...(DefaultRouteSettings.ThrottlingRateLimit > 0 ? [] : [`${logicalId}: no limit of requests a second`]),
    ...(AccessLogSettings ? [] : [`${logicalId}: no access log`]),
    ...claims.filter((claim) => claim !== 'sub').map((claim) => `${logicalId}: logs the claim ${claim}`),
    ...(/querystring/i.test(format) ? [`${logicalId}: logs queries`] : []),
  ];
}

/** A service that invokes for whoever asks it (confused deputy). */
const checkPermission = (logicalId, { Principal, SourceArn }) =>
  /\.amazonaws\.com/.test(text(Principal)) && !SourceArn
    ? [`${logicalId}: ${Principal} may invoke for anybody (SourceArn)`]
    : [];

/** Both branches of a condition. */
const branches = (value) => (value?.['Fn::If'] ? value['Fn::If'].slice(1).flatMap(branches) : [value]);

function checkCors(logicalId, { CorsConfiguration }) {
  const rules = branches(CorsConfiguration).flatMap((one) => one?.CorsRules ?? []);
  return rules.flatMap(({ AllowedOrigins, AllowedMethods, AllowedHeaders }) => [
    ...(/\*/.test(text(AllowedOrigins)) ? [`${logicalId}: CORS lets pages of many origins in`] : []),
    ...(/\*/.test(text(AllowedHeaders)) ? [`${logicalId}: CORS lets any header through; name them`] : []),
    ...list(AllowedMethods)
      .filter((method) => method !== 'PUT' && method !== 'GET')
      .map((method) => `${logicalId}: CORS lets pages ${method}`),
  ]);
}

const CHECKS = {
  'AWS::ApiGatewayV2::Route': checkRoute,
  'AWS::ApiGatewayV2::Authorizer': checkAuthorizer,
  'AWS::ApiGatewayV2::Stage': checkStage,
  'AWS::Lambda::Permission': checkPermission,
  'AWS::S3::Bucket': checkCors,
  'AWS::Lambda::Url': (logicalId, { AuthType }) =>
    AuthType === 'AWS_IAM' ? [] : [`${logicalId}: a function URL that anybody may call`],
};

export function checkOpenings({ Resources }) {
  return [
    ...checkShadows(Resources),
    ...Object.entries(Resources).flatMap(
      ([logicalId, { Type, Properties = {} }]) => CHECKS[Type]?.(logicalId, Properties, Resources) ?? [],
    ),
  ];
}
