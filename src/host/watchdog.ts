import { Worker } from 'node:worker_threads'
import { kernelMicroseconds } from '../base/host-time.ts'

/** Milliseconds. */
const LEAD = 200

/** Says what happened, for which whoever reads it has `LEAD` milliseconds, and ends the process. */
const SOURCE = `
const { write } = require('node:fs')
const { workerData: { at, lead, text } } = require('node:worker_threads')
const now = () => Number(process.hrtime.bigint()) / 1e6
const kill = () => {
  process.kill(process.pid, 'SIGKILL')
  // Process 1 of a container gets no signal from within, but the processor's.
  require('node:v8').setFlagsFromString('--allow-natives-syntax')
  new Function('%SystemBreak()')()
}
setTimeout(() => write(2, text, kill), Math.max(0, at - lead - now()))
setTimeout(kill, Math.max(0, at - now()))
`

/**
 * Ends the process after so many milliseconds, or a little earlier, from a thread of its own: code that does not let go of the event loop, be it a handler's
 * or a system call's, keeps the worker's own timers from running.
 *
 * @param text what is said on standard error then.
 */
export function killAfter(after: number, text: string): void {
  // By a clock that both have: a busy machine takes its time to start a thread.
  const at = Number(kernelMicroseconds()) / 1_000 + after
  const thread = new Worker(SOURCE, { eval: true, execArgv: [], env: {}, workerData: { at, lead: LEAD, text } })
  // A machine that gives no more threads has no watchdog.
  thread.on('error', () => {})
  thread.unref()
}
