import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { asError, CodedError, systemCode } from '../../base/coded-error.ts'
import { shellWord } from '../../base/shell-word.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'
import { needVisible, placeOf, unitOf, unreadable, type Place, type PlaceOptions } from './place.ts'
import { isRunning, needSystemctl, systemctl, type Scope } from './systemctl.ts'
import { judge } from './unit.ts'

export interface ChangeOptions extends PlaceOptions {
  readonly force?: true
}

/** Writes the unit of a service, and says what is left to do. */
export function install(name: string | undefined, options: ChangeOptions, io: Io): void {
  const place = placeOf(name, options, io)
  needSystemctl()
  needRights(place.scope)
  needVisible(place)
  const { speaks, text } = unitOf(place)
  const old = readUnit(place.file)
  if (old === text) {
    io.out(`${place.file} is as it has to be\n`)
  } else {
    mayReplace(place, old, options)
    writeUnit(place.file, text, old !== undefined && judge(old) !== 'ours', io)
  }
  if (!speaks) io.problem(SPEECHLESS)
  for (const path of unreadable(place)) {
    io.problem(`warning: ${path} is not readable for the user of the service: chmod o+rX ${shellWord(path)}`)
  }
  reload(place.scope, io)
  sayNext(place, io)
}

/** Ends the service and removes its unit. Everything else stays. */
export function uninstall(name: string | undefined, options: ChangeOptions, io: Io): void {
  const place = placeOf(name, options, io)
  needSystemctl()
  needRights(place.scope)
  const { file, scope, unit } = place
  const old = readUnit(file)
  if (old === undefined) return io.out(`nothing to uninstall: there is no service ${unit} (${file} is not there)\n`)
  needInstance(place, name, io)
  mayReplace(place, old, options)
  if (isRunning(scope, io.env)) systemctl(scope, 'disable', '--now', unit)
  else systemctl(scope, 'disable', unit)
  io.out(`ended and disabled ${unit}\n`)
  const others = file.endsWith('@.service') ? instancesOf(place, io).filter((other) => other !== unit) : []
  if (others.length === 0) {
    rmSync(file)
    io.out(`removed ${file}\n`)
    reload(scope, io)
  } else {
    io.out(`left ${file}: it is also that of ${others.join(', ')}\n`)
  }
  const left = [place.config, place.key, ...place.state, `${file}.d`].filter((path) => existsSync(path))
  if (left.length > 0) io.out(`left ${left.join(', ')}\n`)
}

/** @throws {CodedError} USAGE where there is no such service beside others of its unit: its name is misspelt. */
function needInstance(place: Place, name: string | undefined, io: Io): void {
  const found = installed(place, name, io)
  if ('missing' in found) throw new CodedError('USAGE', found.missing)
}

/** Its unit, or what there is instead, for people. */
export function installed(
  place: Place,
  name: string | undefined,
  io: Io,
): { readonly text: string } | { readonly missing: string } {
  const { config, file, scope, unit } = place
  const text = readUnit(file)
  if (text === undefined) {
    const command = ['clink-worker service install', name, scope === 'user' ? '--user' : undefined]
    const how = command.filter((part) => part !== undefined).join(' ')
    return { missing: `there is no service ${unit} (${file} is not there): "${how}" makes it` }
  }
  // A template is a service by any name.
  if (name === undefined || existsSync(config)) return { text }
  const instances = instancesOf(place, io)
  if (instances.includes(unit)) return { text }
  const known = instances.length === 0 ? 'none runs or is to be started' : `there is ${instances.join(', ')}`
  return { missing: `there is no service ${unit}, and no ${config}: ${known}` }
}

function readUnit(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new CodedError('FILE_INVALID', `cannot read ${file}: ${asError(error).message}`, { cause: error })
  }
}

function mayReplace({ file }: Place, old: string | undefined, { force }: ChangeOptions): void {
  const found = judge(old)
  if (force === true || found === 'nothing' || found === 'ours') return
  const what = found === 'changed' ? 'was changed since it was written' : 'was not written by this command'
  throw new CodedError(
    'FILE_INVALID',
    `${file} ${what}: keep your changes in a drop-in (systemctl edit), and say --force to replace it (it is kept as ${file}.old)`,
  )
}

function writeUnit(file: string, text: string, isForeign: boolean, io: Io): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    if (isForeign) {
      renameSync(file, `${file}.old`)
      io.out(`kept what was in ${file} as ${file}.old\n`)
    }
    writeFileSync(`${file}.new`, text, { mode: 0o644 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw new CodedError('FILE_INVALID', `cannot write ${file}: ${asError(error).message}`, { cause: error })
  }
  io.out(`wrote ${file}\n`)
}

function needRights(scope: Scope): void {
  if (scope === 'user' || process.getuid?.() === 0) return
  throw new CodedError(
    'USAGE',
    'a service of the system is changed by root: use sudo, or --user for a service of your own',
  )
}

function reload(scope: Scope, io: Io): void {
  if (isRunning(scope, io.env)) systemctl(scope, 'daemon-reload')
  else io.problem('systemd does not run here: the unit counts from its next start on')
}

/** Services that are made of the same file, and run or are to be started. */
function instancesOf({ file, scope }: Place, io: Io): readonly string[] {
  const directory = dirname(file)
  const wanted = readdirSync(directory)
    .filter((name) => name.endsWith('.wants'))
    .flatMap((name) => readdirSync(join(directory, name)))
  const running = isRunning(scope, io.env) ? systemctl(scope, 'list-units', '--plain', '--no-legend').split('\n') : []
  const names = [...wanted, ...running].map((line) => line.split(/\s/, 1)[0] ?? '')
  return [...new Set(names)].filter((name) => INSTANCE.test(name))
}

function sayNext({ config, key, scope, unit }: Place, io: Io): void {
  const user = scope === 'user' ? ' --user' : ''
  const [, name = ''] = /@(.+)\.service$/.exec(unit) ?? []
  const steps = [
    ...(existsSync(config)
      ? []
      : [
          [`mkdir -p ${shellWord(join(dirname(config), 'handlers'))}`],
          [`touch ${shellWord(config)}`, 'all has a default'],
        ]),
    ...(existsSync(key)
      ? []
      : [[`install -m 600 /dev/stdin ${shellWord(key)}`, 'paste the key, press Enter and Ctrl-D']]),
    [`systemctl${user} enable --now ${unit.replace('.service', '')}`],
    ...(scope === 'user' ? [['loginctl enable-linger', 'it runs from the start of the machine on']] : []),
    [`clink-worker service status ${name}`.trimEnd() + user],
  ]
  io.out(`\nNext:\n${table(steps, '  ')}`)
}

const INSTANCE = /^clink-worker@.+\.service$/

const SPEECHLESS =
  'warning: node-unix-socket is not installed or does not load here, so systemd is told by a program, systemd-notify, how the worker is. The unit says NotifyAccess=all ' +
  'for it: the programs of handlers can speak for the worker as well, and each word starts a process. Install it (npm install node-unix-socket) and run this again'
