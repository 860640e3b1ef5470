import { sleep, systemClock } from '../../base/clock.ts'

/** @param limit milliseconds, or Infinity. @returns undefined where it takes longer. */
export async function within<Value>(wait: Promise<Value>, limit: number): Promise<Value | undefined> {
  if (limit === Infinity) return await wait
  const over = new AbortController()
  const late = sleep(systemClock(), limit, over.signal).then(() => undefined)
  return await Promise.race([wait, late]).finally(() => over.abort())
}
