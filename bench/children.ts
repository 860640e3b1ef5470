import type { ChildProcess } from 'node:child_process'
import { constants } from 'node:os'

const children = new Set<ChildProcess>()

/** The process ends with this one: a worker that is left behind would spoil whatever is measured next. */
export function endsWithThis<Child extends ChildProcess>(child: Child): Child {
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => process.exit(128 + constants.signals[signal]))
