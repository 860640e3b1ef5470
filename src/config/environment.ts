import { parse } from 'yaml'
import { z } from 'zod'
import { elsewhere } from './check.ts'
import type { ConfigIssue } from './issue.ts'
import { nearest } from '../base/nearest.ts'
import type { Place, RawConfig } from './raw.ts'
import { knownPaths, schemaAt } from './schema-paths.ts'
import { isBlank } from './substitute.ts'

const PREFIX = 'CLINK_WORKER_'
/** Variables with the prefix that are no keys of the file. */
const RESERVED: ReadonlySet<string> = new Set([`${PREFIX}CONFIG`, `${PREFIX}BOOT_ID`])
/** What Kubernetes sets in every pod beside a Service that is called clink-worker. */
const KUBERNETES = /^CLINK_WORKER_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/

/** Variables with names of their own, from the weakest to the strongest. */
const NAMED = [
  ['STATE_DIRECTORY', ['state', 'directory']],
  ['CLINK_API_URL', ['clink', 'url']],
  ['CLINK_API_KEY', ['clink', 'key']],
  ['CLINK_API_KEY_FILE', ['clink', 'keyFile']],
  ['CLINK_SESSION_ID', ['clink', 'session']],
  ['CLINK_STATE_URL', ['state', 'url']],
  ['CLINK_STATE_URL_FILE', ['state', 'urlFile']],
] as const

/** Those that say where a fleet remembers. */
const ADDRESSES = [
  ['CLINK_STATE_URL', 'state.url'],
  ['CLINK_STATE_URL_FILE', 'state.urlFile'],
  [`${PREFIX}STATE__URL`, 'state.url'],
  [`${PREFIX}STATE__URL_FILE`, 'state.urlFile'],
] as const

/** `poll.maxInterval` is `CLINK_WORKER_POLL__MAX_INTERVAL`. */
function variableOf(path: readonly string[]): string {
  const parts = path.map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
  return `${PREFIX}${parts.join('__')}`
}

/**
 * Puts what the environment says over what the file says. An empty or blank variable counts as one that is not set; `emptyAddress` has those
 * that may not be.
 *
 * @returns warnings about variables that mean nothing.
 */
export function applyEnvironment(raw: RawConfig, env: NodeJS.ProcessEnv, cwd: string): readonly ConfigIssue[] {
  for (const [name, path] of NAMED) {
    // systemd gives a list when a unit has several; the first is ours.
    const value = name === 'STATE_DIRECTORY' ? env[name]?.split(':')[0] : env[name]
    if (value === undefined || isBlank(value)) continue
    raw.override(path, value, { where: `environment ${name}`, base: cwd })
  }
  const known = new Map(knownPaths().map((path) => [variableOf(path), path]))
  const warnings: ConfigIssue[] = []
  for (const [name, value = ''] of Object.entries(env).sort(([a], [b]) => a.localeCompare(b))) {
    if (!name.startsWith(PREFIX) || isBlank(value) || RESERVED.has(name) || KUBERNETES.test(name)) continue
    const path = known.get(name)
    const place: Place = { where: `environment ${name}`, base: cwd }
    const suggestion = meantBy(name, known.keys())
    if (path !== undefined) raw.override(path, readText(value, path), place)
    else warnings.push({ where: place.where, key: '', message: 'unknown variable', suggestion })
  }
  return warnings
}

/**
 * A variable for the address of the shared store that is there and empty: a secret that was not filled in. Taken as none, the worker would
 * remember alone, and nobody would know.
 */
export function emptyAddress(env: NodeJS.ProcessEnv): readonly ConfigIssue[] {
  if (ADDRESSES.some(([name]) => !isBlank(env[name]))) return []
  const empty = ADDRESSES.filter(([name]) => env[name] !== undefined)
  return empty.map(([name, key]) => {
    const suggestion = 'fill it, or unset it where the worker is to remember alone'
    return { where: `environment ${name}`, key, message: 'is empty', suggestion }
  })
}

function meantBy(name: string, known: Iterable<string>): string | undefined {
  const same = elsewhere(name.slice(PREFIX.length).toLowerCase())
  const meant = nearest(name, known)
  return same ?? (meant === undefined ? undefined : `did you mean ${meant}?`)
}

/** A text from a flag or a variable as the value that its key wants: as it is where that fits, otherwise read as YAML. */
export function readText(value: string, path: readonly string[]): unknown {
  if (value === 'null' || value === '~') return undefined
  const schema = schemaAt(path)
  if (schema !== undefined && z.safeParse(schema, value).success) return value
  try {
    return parse(value.trim(), { stringKeys: true }) as unknown
  } catch {
    return value
  }
}
