/**
 * A long-lived part. `stop` may come before `start`, twice, or while a stop is under way; it resolves when the part has
 * ended, not when it was told to.
 */
export interface Service {
  start(): void | Promise<void>
  stop(): Promise<void>
}
