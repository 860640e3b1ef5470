import type { Config } from '../../src/config/config.ts'
import { Settings as Changing } from '../../src/config/settings.ts'

/** What a test sets apart from `base`, section by section. */
export type Settings = {
  readonly [Key in keyof Config]?: Config[Key] extends readonly unknown[] | number ? Config[Key] : Partial<Config[Key]>
}

/** The same as parts of the worker have it. */
export function makeSettings(settings?: Settings): Changing {
  return new Changing(makeConfig('http://127.0.0.1:1', settings))
}

/** The design's configuration with its times made short. */
export function makeConfig(url: string, settings: Settings = {}): Config {
  return {
    clink: { url, key: null, keyFile: null, session: 'auto', identity: 'auto', timeout: 5_000, ...settings.clink },
    inbox: {
      for: 'open',
      groups: [],
      ignore: [],
      maxAge: null,
      claim: 'auto',
      ownReplies: 'leave',
      maxHops: 8,
      loopLimit: null,
      ...settings.inbox,
    },
    poll: { interval: 20, maxInterval: 200, warm: { interval: 20, for: 0 }, sweep: 300_000, ...settings.poll },
    claim: { timeout: 3_000, maxHold: 60_000, exclusive: false, trustRenewals: false, ...settings.claim },
    concurrency: settings.concurrency ?? 5,
    handlers: {
      directory: '/nowhere',
      watch: false,
      runner: 'inline',
      threads: 'auto',
      threadMemory: 536_870_912,
      idle: null,
      timeout: 60_000,
      grace: 30_000,
      ...settings.handlers,
    },
    routes: [],
    retry: {
      attempts: 5,
      backoff: 50,
      maxBackoff: 500,
      cooldown: 3_600_000,
      crashes: 3,
      outage: 21_600_000,
      onExhausted: 'release',
      ...settings.retry,
    },
    replies: { mark: '— clink-worker', ...settings.replies },
    shutdown: { timeout: 6_000, drain: 4_000, ...settings.shutdown },
    state: {
      directory: '/nowhere',
      sync: 'normal',
      keep: 1_209_600_000,
      url: null,
      urlFile: null,
      fleet: 'default',
      ...settings.state,
    },
    server: {
      enabled: false,
      host: '127.0.0.1',
      port: 0,
      tokenFile: null,
      allowedHosts: [],
      pickupSlo: 60_000,
      ...settings.server,
    },
    log: { level: 'silent', format: 'json', content: false, keep: null, ...settings.log },
  }
}
