/** Anything that runs in the background. Both verbs may be called twice, and `stop()` without `start()`. */
export interface Service {
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}
