import type { Config } from '../../config/config.ts'
import { sharedStore } from '../../config/shared-store.ts'
import { hide } from '../../daemon/share.ts'
import type { Io } from '../terminal/io.ts'
import { attempt, isFinding, ok, warning, type Finding } from './finding.ts'

/** Whether a worker could remember with its fleet. @param isAsked the store itself is looked at, and changed in nothing. */
export async function* storeFinding(config: Config, io: Io, isAsked: boolean): AsyncGenerator<Finding> {
  const found = await attempt('store', async () => ({ place: await sharedStore(config, io.env) }))
  if (isFinding(found)) {
    yield found
    return
  }
  if (found.place === undefined) return
  const { fleet, url, warnings } = found.place
  hide(url, io.secrets)
  const { probeStore } = await import('../../fleet/open.ts')
  const looked = await attempt('store', async () => ({ is: await probeStore(url, isAsked) }))
  yield isFinding(looked) ? looked : ok('store', `${looked.is}, fleet ${fleet}`)
  for (const text of warnings) yield warning('store', text)
}
