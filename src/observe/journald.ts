import { fstatSync } from 'node:fs'
import { tryTo } from '../base/try-to.ts'
import type { Level } from './levels.ts'

/** As syslog numbers them. */
const PRIORITY: Readonly<Record<Level, number>> = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 }

const priorities: ReadonlyMap<string, number> = new Map(Object.entries(PRIORITY))

/** Whether what is written there goes to the journal of systemd, which then says by a variable what it is. */
export function isJournal(env: NodeJS.ProcessEnv, fd: 1 | 2): boolean {
  const stream = env['JOURNAL_STREAM']
  if (stream === undefined) return false
  const found = tryTo(() => fstatSync(fd))
  return found !== undefined && stream === `${found.dev}:${found.ino}`
}

/** What the journal takes off a line again, and keeps as its priority: `journalctl -p err` shows these lines then. */
export function journalPrefix(level: string): string {
  return `<${priorities.get(level) ?? PRIORITY.info}>`
}
