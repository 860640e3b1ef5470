import { existsSync } from 'node:fs'
import { EXIT } from '../../base/coded-error.ts'
import { printable } from '../../observe/printable.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'
import { installed } from './install.ts'
import { placeOf, unitOf, type Place, type PlaceOptions } from './place.ts'
import { systemctl } from './systemctl.ts'
import { judge } from './unit.ts'

const ASKED = [
  'ActiveState',
  'SubState',
  'ActiveEnterTimestamp',
  'UnitFileState',
  'MainPID',
  'StatusText',
  'Result',
  'ExecMainStatus',
  'NRestarts',
  'DropInPaths',
] as const
type Told = Readonly<Partial<Record<(typeof ASKED)[number], string>>>

/** What systemd knows of the service. */
export function status(name: string | undefined, options: PlaceOptions & { readonly json?: true }, io: Io): void {
  const place = placeOf(name, options, io)
  const found = installed(place, name, io)
  if ('missing' in found) {
    io.problem(found.missing)
    if (options.json === true)
      io.out(`${JSON.stringify({ unit: place.unit, file: place.file, unitFile: 'missing' })}\n`)
    return io.finish(EXIT.failed)
  }
  const told = ask(place)
  const isActive = told.ActiveState === 'active' || told.ActiveState === 'reloading'
  const unit = unitIs(place, found.text)
  if (!isActive) io.finish(EXIT.failed)
  if (options.json === true) {
    io.out(`${JSON.stringify({ unit: place.unit, file: place.file, ...toldAsJson(told), unitFile: unit })}\n`)
    return
  }
  const rows = [
    [place.unit, `${told.ActiveState} (${told.SubState})${isActive ? ` since ${told.ActiveEnterTimestamp}` : ''}`],
    ...(told.StatusText === '' || told.StatusText === undefined ? [] : [['says', printable(told.StatusText)]]),
    ...(told.MainPID === '0' || told.MainPID === undefined ? [] : [['process', told.MainPID]]),
    ...(told.Result === 'success' || told.Result === undefined
      ? []
      : [['ended by', `${told.Result}, exit code ${told.ExecMainStatus}`]]),
    ...(told.NRestarts === '0' || told.NRestarts === undefined ? [] : [['restarts', told.NRestarts]]),
    ['at the start', told.UnitFileState === 'enabled' ? 'started' : `not started: ${told.UnitFileState}`],
    ['unit', `${place.file}${unit === 'current' ? '' : `, ${UNIT[unit]}`}`],
    ...(told.DropInPaths === '' || told.DropInPaths === undefined ? [] : [['drop-ins', told.DropInPaths]]),
    ['state', place.state.find((state) => existsSync(state)) ?? place.state.join(' or ')],
  ]
  io.out(table(rows))
  const user = place.scope === 'user' ? ' --user' : ''
  const unitName = place.unit.replace('.service', '')
  if (!isActive)
    io.out(
      `\nNext:\n${table([[`journalctl${user} -u ${unitName} -n 20`, 'what it said last'], [`systemctl${user} start ${unitName}`]], '  ')}`,
    )
}

const UNIT = {
  stale: 'written by another version or installation: "clink-worker service install" writes it anew',
  changed: 'changed since it was written: a drop-in (systemctl edit) would outlast an upgrade',
  foreign: 'not written by "clink-worker service install"',
} as const

function unitIs(place: Place, text: string): 'current' | keyof typeof UNIT {
  const found = judge(text)
  if (found === 'changed' || found === 'foreign') return found
  return text === unitOf(place).text ? 'current' : 'stale'
}

function ask({ scope, unit }: Place): Told {
  const printed = systemctl(scope, 'show', unit, ...ASKED.map((name) => `--property=${name}`))
  return Object.fromEntries(
    printed
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function toldAsJson(told: Told): object {
  return {
    active: told.ActiveState,
    sub: told.SubState,
    since: told.ActiveEnterTimestamp,
    enabled: told.UnitFileState,
    pid: Number(told.MainPID),
    status: told.StatusText,
    result: told.Result,
    exitCode: Number(told.ExecMainStatus),
    restarts: Number(told.NRestarts),
    dropIns: told.DropInPaths,
  }
}
