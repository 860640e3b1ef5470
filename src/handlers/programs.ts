import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { systemCode } from '../base/coded-error.ts'
import type { ProgramTarget } from './route.ts'

type Command = Pick<ProgramTarget, 'command' | 'cwd' | 'env'>

/** Why a program cannot be started, as far as files tell; undefined: nothing is in the way. */
export async function whyNotExecutable({ command, cwd, env }: Command): Promise<string | undefined> {
  const [program = ''] = command
  const directory = await stat(cwd).catch(() => undefined)
  if (directory?.isDirectory() !== true) return `cannot be started: its directory ${cwd} is not there`
  if (program.includes('/')) return await whyNotFile(program)
  const path = env['PATH'] ?? process.env['PATH'] ?? ''
  const places = path.split(delimiter).filter((place) => place !== '')
  const found = await Promise.all(places.map(async (place) => await whyNotFile(join(place, program))))
  if (found.includes(undefined)) return undefined
  const isThere = found.some((why) => why !== MISSING)
  return isThere ? 'is on PATH, but this user may not execute it' : 'is not on PATH'
}

/** What is said of a program that the system did not start. */
export async function whyNotStarted(error: Error, target: Command): Promise<string> {
  const [program = ''] = target.command
  const why = (await whyNotExecutable(target)) ?? WORDS[systemCode(error)] ?? `cannot be started: ${error.message}`
  return `${program} ${why}`
}

const MISSING = 'is not there'
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'cannot be started: the interpreter that its first line names is not there',
  ENOEXEC: 'cannot be started: it is no program for this machine',
  E2BIG: 'cannot be started: its arguments and its environment are too long',
}

async function whyNotFile(path: string): Promise<string | undefined> {
  const file = await stat(path).catch(() => undefined)
  if (file === undefined) return MISSING
  if (!file.isFile()) return 'is not a file'
  const isExecutable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  return isExecutable ? undefined : 'may not be executed by this user: chmod +x it, or name its interpreter first'
}
