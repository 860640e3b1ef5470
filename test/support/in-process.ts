import { main } from '../../src/commands/program.ts'
import type { Io } from '../../src/commands/terminal/io.ts'
import type { CliOptions, Ended } from './cli.ts'
import { surroundings } from './surroundings.ts'

/**
 * A command from its words to its exit code, without a process of its own: for what it says and does. Most of a process would be its start.
 * What loads handlers, stays, or is about the process, is run by `Cli`.
 */
export async function inProcess(args: readonly string[], { cwd = '/', env = {}, input = '' }: CliOptions = {}) {
  let code: Ended['code'] = 0
  let stdout = ''
  let stderr = ''
  const io: Io = {
    env: { ...surroundings, ...env },
    hide: () => {},
    secrets: new Set([env['CLINK_API_KEY'] ?? '']),
    cwd,
    terminal: false,
    color: false,
    journal: false,
    out: (text) => void (stdout += text),
    problem: (line) => void (stderr += `clink-worker: ${line}\n`),
    note: (text) => void (stderr += text),
    input: async () => await Promise.resolve(input),
    takeOutput: () => {
      throw new Error(`${args[0]} writes by itself: give it a process of its own`)
    },
    finish: (with_) => (code = with_),
    written: async () => {},
    exit: (with_) => (code = with_ ?? code),
  }
  await main(['node', 'clink-worker', ...args], io)
  return { code, signal: null, stdout, stderr } satisfies Ended
}
