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

/** A unit says it where it hides the kernel's word: with dashes or without. */
const NAMED = /^([\da-f]{8})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{4})-?([\da-f]{12})$/

/**
 * The boot that this process runs in: what `CLINK_WORKER_BOOT_ID` says, or else the kernel. Where nobody names it, every process takes its own
 * for another.
 */
export function systemBoot(env: NodeJS.ProcessEnv = process.env): Boot {
  const told = NAMED.exec(env['CLINK_WORKER_BOOT_ID'] ?? '')
    ?.slice(1)
    .join('-')
  const id = told ?? tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
  return { id: id ?? `process ${process.pid} at ${wallNow()}`, uptime: systemUptime() }
}
