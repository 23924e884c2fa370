/** `--param name=value` on the command line → the stack's CloudFormation parameters. Only what is given is passed. */
module.exports = async ({ options }) => {
  const { parsePairs } = await import('../local/world/parameters.mjs');
  const given = parsePairs([options.param ?? []].flat());
  return Object.entries(given).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
};
