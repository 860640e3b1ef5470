import { readFileSync } from 'node:fs'
import { bootNow, wallNow } from './host-time.ts'

/** One start of the machine. Times of one boot can be compared between processes; those of two cannot. */
export interface Boot {
  readonly id: string
  /** Milliseconds since the boot, suspension included. */
  uptime(): number
}

/** The boot that this process runs in. Where the system does not name it, every process takes its own for another. */
export function systemBoot(): Boot {
  return { id: bootId() ?? `process ${process.pid} at ${wallNow()}`, uptime: bootNow }
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return undefined
  }
}
