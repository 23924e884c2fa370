/** `isocenter/local`: the servers of the local world, for other people's tests. */
export { type HealthImaging, type HealthImagingOptions, startHealthImaging } from './healthimaging/server.ts';

export {
  findRunningWorld,
  startWorld,
  type World,
  type WorldFile,
  type WorldOptions,
} from './world/world.ts';
