import { readFile } from 'node:fs/promises'
import { CodedError } from '../base/coded-error.ts'
import { checkedFile, checkedValue } from './checked-file.ts'
import { readSnapshot } from './data-file.ts'
import { EmbeddedClink } from './embedded-clink.ts'
import type { Emulator, EmulatorOptions } from './emulator-interface.ts'
import { faultFile } from './fault-rules.ts'
import { defaultSeed } from './seed/default-seed.ts'
import { seedSchema } from './seed/seed.ts'

export type { PlainAnswer, PlainRequest } from './answer.ts'
export type { EmulatorClock } from './clock.ts'
export type { Emulator, EmulatorOptions } from './emulator-interface.ts'
export type { FaultAction, FaultHandle, FaultRule } from './faults.ts'
export type { SeenRequest } from './request-log.ts'
export { defaultSeed } from './seed/default-seed.ts'
export type { Seed } from './seed/seed.ts'
export type { Claim, HistoryEntry, StoredClink } from './store/clink-store.ts'
export { switchNames, switchSettings, type SwitchName, type Switches } from './switches.ts'

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CodedError('FILE_INVALID', `Cannot read ${file}`, { cause: error })
  }
}

/** An emulator without a port: for simulations, through `handle`. `reconnect` gives it one. Reads no files. */
export function createEmulator(
  options: Omit<EmulatorOptions, 'seed' | 'faults' | 'data'> & {
    readonly seed?: Exclude<EmulatorOptions['seed'], string>
    readonly faults?: Exclude<EmulatorOptions['faults'], string>
  } = {},
): Emulator {
  const { seed = defaultSeed, faults = [], ...rest } = options
  return new EmbeddedClink({ ...rest, seed: checkedValue(seed, 'seed', seedSchema), faults })
}

/** An emulator that listens. Rejects with a CodedError for a bad file, switch or rule, and for a port that is in use. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { seed = defaultSeed, faults = [], ...rest } = options
  const emulator = new EmbeddedClink({
    ...rest,
    seed:
      typeof seed === 'string'
        ? checkedFile(await read(seed), seed, seedSchema)
        : checkedValue(seed, 'seed', seedSchema),
    faults: typeof faults === 'string' ? faultFile(await read(faults), faults) : faults,
    kept: options.data === undefined ? undefined : await readSnapshot(options.data),
  })
  await emulator.reconnect()
  return emulator
}
