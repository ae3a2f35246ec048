import { WatchedRepository } from './processes/watched-repository.mjs';

/** Bugs planted on purpose: what the checker is worth is whether it finds them. */
const PLANTS = {};

export const PLANT_NAMES = Object.keys(PLANTS);

export function plantedRepository(name) {
  return PLANTS[name] ?? WatchedRepository;
}
