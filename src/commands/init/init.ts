import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { asError, CodedError, systemCode } from '../../base/coded-error.ts'
import { makeDirectory } from '../../base/directory.ts'
import { shippedFile } from '../../base/installed.ts'
import { discover } from '../../handlers/discover.ts'
import { shellWord } from '../../base/shell-word.ts'
import { printable } from '../../observe/printable.ts'
import type { Io } from '../terminal/io.ts'
import { startIn, type Language, type Start } from './languages.ts'
import { configurationOf, readmeOf } from './templates.ts'

export interface InitOptions {
  readonly json?: true
  readonly language: Language
}

/** Writes the files of a new worker into a directory, those that are not there yet. */
export async function writeStart(dir: string, { json, language }: InitOptions, io: Io): Promise<void> {
  const root = resolve(io.cwd, dir)
  const unit = await readFile(shippedFile('systemd/clink-worker.service'), 'utf8')
  // Beside a handler that takes what no other takes, a second one would keep both from being used.
  const start = startIn(language)
  const own = (await discover(join(root, 'handlers'))).files.filter((file) => relative(root, file) !== start.handler)
  const isFirst = own.length === 0
  const files = {
    'clink-worker.yaml': configurationOf(isFirst ? start : {}),
    ...(isFirst && { ...start.files, 'README.md': readmeOf(start) }),
    'clink-worker.service': unit,
  }
  const written: string[] = []
  const left: string[] = own.map((file) => relative(root, file))
  for (const [name, text] of Object.entries(files)) {
    const isNew = await writeNew(join(root, name), text)
    ;(isNew ? written : left).push(name)
  }
  if (json === true) {
    io.out(`${JSON.stringify({ directory: root, written, left })}\n`)
    return
  }
  for (const name of written) io.out(`wrote ${printable(join(dir, name))}\n`)
  for (const name of left) io.out(`left  ${printable(join(dir, name))}, which was there already\n`)
  io.out(nextSteps(root === io.cwd ? '' : dir, isFirst ? start : undefined))
}

/** @returns false when something is there already, whatever it is. */
async function writeNew(path: string, text: string): Promise<boolean> {
  try {
    makeDirectory(dirname(path))
    await writeFile(path, text, { flag: 'wx' })
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST' && (await isFile(path))) return false
    throw new CodedError('FILE_INVALID', `cannot write ${path}: ${code || asError(error).message}`, { cause: error })
  }
}

async function isFile(path: string): Promise<boolean> {
  return await readFile(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'EISDIR' || error.code === 'EACCES',
  )
}

function nextSteps(dir: string, start: Start | undefined): string {
  const steps = [
    ...(dir === '' ? [] : [[`cd ${shellWord(printable(dir))}`]]),
    ...(start?.install === undefined ? [] : [[start.install]]),
    ...(start === undefined ? [] : [[start.test, "run the handler's test"]]),
    ['npx clink-worker dev', 'see it work, without a key'],
    ['export CLINK_API_KEY=sk_live_…', 'from clink.voxos.ai'],
    ['npx clink-worker check --online', 'is all in order, the key too'],
    ['npx clink-worker run', 'work your inbox'],
  ]
  const width = Math.max(...steps.map(([command = '']) => command.length))
  const lines = steps.map(([command = '', what = '']) => `  ${command.padEnd(width)}   ${what}`.trimEnd())
  return `\nNext:\n${lines.join('\n')}\n`
}
