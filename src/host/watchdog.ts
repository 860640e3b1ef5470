import { Worker } from 'node:worker_threads'

/** Says what happened without waiting for whoever reads it, and ends the process. */
const SOURCE = `
const { write } = require('node:fs')
const { workerData: { after, text } } = require('node:worker_threads')
const kill = () => process.kill(process.pid, 'SIGKILL')
setTimeout(() => {
  write(2, text, kill)
  setTimeout(kill, 100)
}, after)
`

/**
 * Ends the process after so many milliseconds, from a thread of its own: code that does not let go of the event loop, be it a handler's
 * or a system call's, keeps the worker's own timers from running.
 *
 * @param text what is said on standard error then.
 */
export function killAfter(after: number, text: string): void {
  const thread = new Worker(SOURCE, { eval: true, execArgv: [], env: {}, workerData: { after, text } })
  // A machine that gives no more threads has no watchdog.
  thread.on('error', () => {})
  thread.unref()
}
