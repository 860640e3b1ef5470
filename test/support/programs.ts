import { tmpdir } from 'node:os'
import { systemClock } from '../../src/base/clock.ts'
import type { ProgramTarget } from '../../src/handlers/route.ts'
import { ExecRunner } from '../../src/runners/exec.ts'
import type { ProgramNotes } from '../../src/runners/program-run.ts'
import { TaskSocket } from '../../src/runners/task-socket.ts'
import { built } from './program.ts'
import { kernelGroups } from './left-program.ts'

type Details = Partial<Omit<ProgramTarget, 'is' | 'command'>>

export function program(command: readonly string[], details: Details = {}): ProgramTarget {
  return { is: 'program', command, cwd: tmpdir(), env: {}, output: 'text', maxOutput: 1_048_576, ...details }
}

/** A script for `sh`. In it, `$TASK` stands for `clink-worker task`. */
export function sh(script: string, details: Details = {}): ProgramTarget {
  const env = { TASK: `${process.execPath} ${built} task`, ...details.env }
  return program(['sh', '-c', script], { ...details, env })
}

/** A script for this Node. In it, `ask` sends a request to the worker. */
export function js(script: string, details: Details = {}): ProgramTarget {
  return program([process.execPath, '-e', `${ASK}(async () => {${script}})()`], details)
}

const ASK = `
const ask = (request) => new Promise((resolve, reject) => {
  const socket = require('node:net').createConnection(process.env.CLINK_TASK_SOCKET).on('error', reject)
  socket.write(JSON.stringify({ token: process.env.CLINK_TASK_TOKEN, ...request }) + '\\n')
  socket.once('data', (data) => { socket.destroy(); resolve(JSON.parse(data)) })
});
`

const unnoted: ProgramNotes = { note: async () => {}, gone: async () => {} }

export function execRunner(notes: ProgramNotes = unnoted): ExecRunner {
  return new ExecRunner({ clock: systemClock(), groups: kernelGroups, notes, sockets: new TaskSocket({}) })
}
