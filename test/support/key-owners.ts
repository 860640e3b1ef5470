import { Secret } from '../../src/base/secret.ts'
import type { Emulator, HistoryEntry } from '../../src/emulator/emulator.ts'
import { defaultSeed } from '../../src/emulator/seed/default-seed.ts'
import { until, type Station } from './harness.ts'
import { requests } from './record.ts'

/** The usual seed, with more keys of the worker's profile and of a user. */
export const seed = {
  ...defaultSeed,
  keys: [
    ...defaultSeed.keys,
    { name: 'next', owner: 'worker' },
    { name: 'third', owner: 'worker' },
    { name: 'alice-next', owner: 'alice' },
    { name: 'next-readonly', owner: 'worker', permissions: ['clinks:read' as const] },
  ],
}

/** Gives a worker another key of the seed, as a changed key file does. */
export function change({ daemon }: Station, emulator: Emulator, key: string): void {
  void daemon.keyChange.offer(new Secret(emulator.keys[key] ?? ''), 'the key file')
}

/** Gives a worker a key that it takes, and waits until no poll is on its way with the one before. */
export async function exchange(station: Station, emulator: Emulator, key: string): Promise<void> {
  const before = station.all('key.changed').length
  change(station, emulator, key)
  await until(() => station.all('key.changed').length > before, 'the key is taken')
  const looks = requests(emulator, 'check_inbox').length
  await until(() => requests(emulator, 'check_inbox').length >= looks + 2, 'two more looks at the inbox')
}

/** Who did something to a clink, by names of keys, in order. */
export function keysThat(emulator: Emulator, id: string, what: HistoryEntry['what']): (string | undefined)[] {
  return emulator.history(id).flatMap((entry) => (entry.what === what ? [entry.key] : []))
}
