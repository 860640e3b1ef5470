import { setTimeout as delay } from 'node:timers/promises'

/** Waits for a fact, for as long as a slow machine may need. Fails with the name of what did not come. */
export async function until(
  fact: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeout = 45_000,
): Promise<void> {
  const end = performance.now() + timeout
  while (!(await fact())) {
    if (performance.now() > end) {
      throw new Error(`waited ${timeout} ms in vain: ${typeof what === 'string' ? what : what()}`)
    }
    await delay(10)
  }
}
