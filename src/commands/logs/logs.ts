import { sleep, systemClock } from '../../base/clock.ts'
import { EXIT } from '../../base/coded-error.ts'
import { ClinkLogReader } from '../../clink-logs/read.ts'
import { logsOf, type ClinkLine } from '../../clink-logs/segments.ts'
import { printable } from '../../observe/printable.ts'
import { stateOf, type StateSettings } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import { logText } from './text.ts'

export interface LogsOptions extends StateSettings {
  readonly follow?: true
  readonly json?: true
}

/** Milliseconds between two looks for what has come. */
const LOOK = 300

export async function showLogs(id: string, options: LogsOptions, io: Io): Promise<void> {
  const { directory } = await stateOf(options, io)
  const reader = new ClinkLogReader(logsOf(directory), id)
  const show = options.json === true ? jsonLine : logText(io)
  let isAny = false
  for (;;) {
    for (const line of await reader.next()) {
      isAny = true
      io.out(show(line))
    }
    if (options.follow !== true) break
    await sleep(systemClock(), LOOK)
  }
  if (isAny) return
  io.problem(
    `nothing is kept that was said for ${printable(id)}: nothing was, or it is longer ago than log.keep allows`,
  )
  io.finish(EXIT.failed)
}

function jsonLine({ at, ...line }: ClinkLine): string {
  return `${printable(JSON.stringify({ time: new Date(at).toISOString(), ...line }))}\n`
}
