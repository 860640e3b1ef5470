import type { Logger } from 'pino'
import { secretsOfAddress } from '../base/postgres-address.ts'
import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import { sharedStore } from '../config/shared-store.ts'
import { packageVersion } from '../clink/version.ts'
import type { Emit } from '../events.ts'
import type { StateOptions } from '../journal/state.ts'

export interface ShareParts {
  readonly config: Config
  readonly env: NodeJS.ProcessEnv
  /** Texts that no line may show. */
  readonly secrets: Set<string>
  /** Told of what is odd about the address. */
  readonly logger?: Pick<Logger, 'warn'>
}

/** With whom the worker remembers; undefined: with nobody, and nothing of that is loaded. @throws {CodedError} FILE_INVALID, CONFIG_INVALID. */
export async function shareBy(
  { config, env, logger, secrets }: ShareParts,
  emit: Emit,
): Promise<StateOptions['share']> {
  const place = await sharedStore(config, env)
  if (place === undefined) return undefined
  hide(place.url, secrets)
  for (const message of place.warnings) logger?.warn({ event: 'config.warning', message })
  const { openFleet } = await import('../fleet/open.ts')
  const onHealth = (problem: string | undefined): void =>
    emit(problem === undefined ? { event: 'store.recovered' } : { event: 'store.failed', problem })
  return (local, isOurs) => openFleet({ ...place, version: packageVersion(), onHealth }, local, isOurs)
}

/** The address, and its password where it stands alone. */
export function hide(url: Secret, secrets: Set<string>): void {
  // Of a password that is shorter every second text would be full.
  for (const form of secretsOfAddress(url.reveal())) if (form.length > 3) secrets.add(form)
}
