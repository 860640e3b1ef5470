import { isRecord } from './record.ts'

/** Where `@opentelemetry/api` 1 keeps what is registered by it. Every copy of that package in the process shares it. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1')

/** Whether somebody has registered an OpenTelemetry SDK in this thread. Loads nothing. */
export function hasTelemetry(): boolean {
  const registered: unknown = Reflect.get(globalThis, REGISTERED)
  return isRecord(registered) && (registered['trace'] !== undefined || registered['metrics'] !== undefined)
}
