import type { Config } from './config.ts'

/** What `for_me` of an inbox listing is: whether only what is addressed to us or to nobody is shown. */
export function forMe({ inbox }: Pick<Config, 'inbox'>): boolean {
  return inbox.for !== 'anyone'
}
