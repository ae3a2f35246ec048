export { redisWakeUps } from './redis-wake-ups.js';
export type { RedisWakeUpOptions } from './redis-wake-ups.js';
export { MissingPeerError } from '../errors/missing-peer.error.js';
