import type { Secret } from '../base/secret.ts'
import type { Config } from '../config/config.ts'
import { KeyWatch } from '../config/key-watch.ts'
import type { HandlerWatch } from '../handlers/watch.ts'
import { ConfigReload } from './config-reload.ts'
import type { Daemon } from './daemon.ts'
import type { Reloads } from './reloads.ts'

/** What a worker was started with, and may be read again while it runs. */
export interface ReadAgain {
  readonly config: Config
  readonly key: Secret
  /** How the configuration is read again, and the file that it comes from. Left out: it stays as it is. */
  readonly configuration?: { readonly file: string | null; readonly read: () => Promise<Config> } | undefined
  /** Texts that no line may show. What is read as a key is added, and what a run says is a secret. */
  readonly secrets: Set<string>
}

/** Another configuration is used with its handlers, or not at all. */
export function reloadConfig(
  { config, configuration }: ReadAgain,
  watch: HandlerWatch,
  reloads: Reloads,
): ConfigReload | undefined {
  if (configuration === undefined) return undefined
  return new ConfigReload({
    ...configuration,
    first: config,
    use: async (next) => {
      reloads.configRead()
      await watch.reload(next)
    },
    failed: (error) => reloads.configFailed(error),
  })
}

/** A key that comes from a file is read again when that changes. */
export function watchKey({ config, key, secrets }: ReadAgain, daemon: Daemon, reloads: Reloads): KeyWatch | undefined {
  const file = config.clink.key === null ? config.clink.keyFile : null
  if (file === null) return undefined
  return new KeyWatch({
    file,
    first: key,
    changed: async (next) => {
      secrets.add(next.reveal())
      reloads.keyRead(await daemon.keyChange.offer(next, file))
    },
    unusable: (problem, isReadOnce) => {
      daemon.keyChange.unusable(problem, isReadOnce)
      if (!isReadOnce) reloads.keyRead(problem)
    },
  })
}
