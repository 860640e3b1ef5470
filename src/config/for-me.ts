import type { Config } from './config.ts'

/** The `for_me` of an inbox listing. True: the service shows only clinks that are addressed to us or to nobody. */
export function forMe({ inbox }: Pick<Config, 'inbox'>): boolean {
  return inbox.for !== 'anyone'
}
