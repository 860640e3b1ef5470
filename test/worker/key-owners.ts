import { Secret } from '../../src/base/secret.ts'
import type { Emulator, HistoryEntry } from '../../src/emulator/emulator.ts'
import { defaultSeed } from '../../src/emulator/seed/default-seed.ts'
import type { Station } from './harness.ts'

/** The usual seed, with second keys of the worker's profile and of a user. */
export const seed = {
  ...defaultSeed,
  keys: [
    ...defaultSeed.keys,
    { name: 'next', owner: 'worker' },
    { name: 'alice-next', owner: 'alice' },
    { name: 'next-readonly', owner: 'worker', permissions: ['clinks:read' as const] },
  ],
}

/** Gives a worker another key of the seed, as a changed key file does. */
export function change({ daemon }: Station, emulator: Emulator, key: string): void {
  daemon.changeKey(new Secret(emulator.keys[key] ?? ''), 'the key file')
}

/** Who did something to a clink, by names of keys, in order. */
export function keysThat(emulator: Emulator, id: string, what: HistoryEntry['what']): (string | undefined)[] {
  return emulator.history(id).flatMap((entry) => (entry.what === what ? [entry.key] : []))
}
