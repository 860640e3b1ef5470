import { readFileSync } from 'node:fs'
import { tryTo } from './try-to.ts'
import { wallNow } from './host-time.ts'
import { systemUptime } from './uptime.ts'

/** One start of the machine. Times of one boot can be compared between processes; those of two cannot. */
export interface Boot {
  readonly id: string
  /** Milliseconds since the boot, suspension included. */
  uptime(): number
}

/** The boot that this process runs in. Where the system does not name it, every process takes its own for another. */
export function systemBoot(): Boot {
  const id = tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  return { id: id ?? `process ${process.pid} at ${wallNow()}`, uptime: systemUptime() }
}
