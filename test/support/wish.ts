import { setTimeout as delay } from 'node:timers/promises'

/** Signals within a second are one wish: after this, the next is another. */
export async function wishIsOver(): Promise<void> {
  await delay(1_050)
}
