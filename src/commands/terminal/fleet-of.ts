import { CodedError } from '../../base/coded-error.ts'
import { sharedStore, type SharedStorePlace } from '../../config/shared-store.ts'
import { hide } from '../../daemon/share.ts'
import { loadOptions, readConfig } from './connect.ts'
import type { Io } from './io.ts'
import type { SettingsOptions } from './settings.ts'

/**
 * The fleet of the configuration, and where it remembers. From now on no output shows its password.
 *
 * @throws {CodedError} CONFIG_INVALID where there is none.
 */
export async function fleetOf(options: SettingsOptions, io: Io): Promise<SharedStorePlace> {
  const { config } = await readConfig(loadOptions(options, io), io)
  const place = await sharedStore(config, io.env)
  if (place === undefined)
    throw new CodedError('CONFIG_INVALID', 'there is no state.url, so this worker remembers alone: see docs/fleet.md')
  hide(place.url, io.secrets)
  return place
}
