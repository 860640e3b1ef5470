import { readFileSync, realpathSync, statSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CodedError } from '../../base/coded-error.ts'
import { entryModule, shippedFile } from '../../base/installed.ts'
import { tryTo } from '../../base/try-to.ts'
import { datagramAddOn } from '../../host/notify.ts'
import type { Io } from '../terminal/io.ts'
import type { Scope } from './systemctl.ts'
import { literal, unitFor } from './unit.ts'

/** One service: where its files are, and what its unit has to be. */
export interface Place {
  readonly scope: Scope
  /** As `systemctl` is told. */
  readonly unit: string
  /** The file of the unit. */
  readonly file: string
  readonly config: string
  readonly key: string
  /** Where it may keep what must not be forgotten. */
  readonly state: readonly string[]
}

export interface PlaceOptions {
  readonly user?: true
  readonly config?: string
}

/** With the prefix it is the name of a user. */
const NAME = /^[a-z\d][a-z\d_-]{0,17}$/

/** @throws {CodedError} USAGE */
export function placeOf(name: string | undefined, options: PlaceOptions, io: Io): Place {
  const scope = options.user === true ? 'user' : 'system'
  if (name !== undefined) return instance(name, options, scope)
  const home = directoryOf('HOME', io) ?? tryTo(() => userInfo().homedir) ?? homedir()
  const base = scope === 'system' ? '/etc' : (directoryOf('XDG_CONFIG_HOME', io) ?? join(home, '.config'))
  const stateHome = directoryOf('XDG_STATE_HOME', io) ?? join(home, '.local/state')
  const config = resolve(io.cwd, options.config ?? join(base, 'clink-worker/config.yaml'))
  return {
    scope,
    unit: 'clink-worker.service',
    file: join(base, 'systemd', scope, 'clink-worker.service'),
    config,
    key: join(dirname(config), 'clink-api-key'),
    // Before version 254 systemd put the state of users' services beside their configuration.
    state:
      scope === 'system'
        ? ['/var/lib/clink-worker']
        : [join(stateHome, 'clink-worker/state'), join(base, 'clink-worker/state')],
  }
}

/** The XDG Base Directory Specification: an empty variable counts as one that is not set, and a relative path is ignored. */
function directoryOf(variable: string, { env }: Io): string | undefined {
  const path = env[variable] ?? ''
  return isAbsolute(path) ? path : undefined
}

function instance(name: string, { config }: PlaceOptions, scope: Scope): Place {
  if (scope === 'user')
    throw new CodedError('USAGE', 'names are for services of the system: leave out --user, or the name')
  if (config !== undefined) {
    throw new CodedError(
      'USAGE',
      `--config does not go with a name: the service reads /etc/clink-worker/${name}/config.yaml`,
    )
  }
  if (!NAME.test(name)) {
    const what = 'lower case letters, digits, - and _, at most 18 of them'
    throw new CodedError('USAGE', `"${name}" cannot be the name of a service: a name has ${what}`)
  }
  return {
    scope,
    unit: `clink-worker@${name}.service`,
    file: '/etc/systemd/system/clink-worker@.service',
    config: `/etc/clink-worker/${name}/config.yaml`,
    key: `/etc/clink-worker/${name}/clink-api-key`,
    state: [`/var/lib/clink-worker-${name}`],
  }
}

/** This installation's own program. */
function ownPaths(): { readonly node: string; readonly cli: string } {
  const cli = fileURLToPath(entryModule('cli'))
  return { node: realpathSync(process.execPath), cli }
}

/** What the unit of this service is for this installation. */
export function unitOf({ config, file, scope, unit }: Place): { readonly text: string; readonly speaks: boolean } {
  const isTemplate = file.endsWith('@.service')
  const name = isTemplate ? 'clink-worker@.service' : unit
  const shipped = shippedFile(`systemd/${scope === 'user' ? 'user/' : ''}${name}`)
  const speaks = datagramAddOn() !== undefined
  const from = isTemplate ? '/etc/clink-worker/%i/config.yaml' : literal(config)
  return { text: unitFor(readFileSync(shipped, 'utf8'), { ...ownPaths(), config: from, speaks }), speaks }
}

/** Below these a service of the system sees nothing, or another directory. */
const HIDDEN = ['/home', '/root', '/run/user', '/tmp', '/var/tmp']

/** @throws {CodedError} where a service of the system could not even see its program. */
export function needVisible({ config, scope }: Place): void {
  if (scope === 'user') return
  for (const path of [ownPaths().node, ownPaths().cli, config]) {
    const hidden = HIDDEN.find((directory) => path.startsWith(`${directory}/`))
    if (hidden === undefined) continue
    const instead =
      path === config
        ? 'keep it in /etc/clink-worker'
        : 'install it elsewhere, as by "npm install --prefix /opt/clink-worker clink-worker node@24", and run that one'
    throw new CodedError(
      'USAGE',
      `${path} is hidden from services of the system, as all of ${hidden} is: ${instead} (or use --user)`,
    )
  }
}

/** Paths that the user of a service of the system may not read. */
export function unreadable({ config, scope }: Place): readonly string[] {
  if (scope === 'user') return []
  const all = [ownPaths().node, ownPaths().cli, config].flatMap((path) => [...above(path), path])
  return [...new Set(all)].filter((path) => {
    const found = tryTo(() => statSync(path))
    if (found === undefined) return false
    const needed = found.isDirectory() ? 0o1 : 0o4
    return (found.mode & needed) === 0
  })
}

function above(path: string): readonly string[] {
  const directory = dirname(path)
  return directory === path ? [] : [...above(directory), directory]
}
