import { dotted, type ConfigIssue, type Path } from './issue.ts'
import type { RawConfig } from './raw.ts'

/** Two keys that say the same: a secret, and the file that holds it. */
const PAIRS = [
  [
    ['clink', 'key'],
    ['clink', 'keyFile'],
  ],
  [
    ['state', 'url'],
    ['state', 'urlFile'],
  ],
] as const

/** Of two keys that say the same, the one of the stronger source is left. @returns those that one source gives both of. */
export function settlePairs(raw: RawConfig): readonly ConfigIssue[] {
  return PAIRS.flatMap(([secret, file]) => {
    if (!isGiven(raw, secret) || !isGiven(raw, file)) return []
    const [ofSecret, ofFile] = [raw.placeOf(secret), raw.placeOf(file)]
    const lead = strengthOf(ofSecret.where) - strengthOf(ofFile.where)
    if (lead === 0)
      return [raw.issue(file, `cannot be given with ${dotted(secret)} (${ofSecret.where}): keep one of them`)]
    if (lead > 0) raw.override(file, undefined, ofSecret)
    else raw.override(secret, undefined, ofFile)
    return []
  })
}

function isGiven(raw: RawConfig, path: Path): boolean {
  const value = raw.get(path)
  return value !== undefined && value !== null
}

function strengthOf(where: string): number {
  if (where === 'command line') return 2
  return where.startsWith('environment ') ? 1 : 0
}
