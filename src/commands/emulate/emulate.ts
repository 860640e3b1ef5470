import { EXIT, type ExitCode } from '../../base/coded-error.ts'
import { startEmulator } from '../../emulator/emulator.ts'
import { untilStopped } from '../../host/signals.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'

export interface EmulateOptions {
  readonly seed?: string
  readonly data?: string
  readonly faults?: string
  readonly port: number
  readonly host: string
  readonly switch?: Readonly<Record<string, string>>
  readonly json?: true
}

/** Serves the embedded Clink until told to stop. */
export async function runEmulator(options: EmulateOptions, io: Io): Promise<ExitCode> {
  const stopped = untilStopped(() => io.exit(EXIT.ok))
  const { seed, data, faults, port, host, switch: switches } = options
  const emulator = await startEmulator({ seed, data, faults, port, host, switches })
  const { url, keys, key } = emulator
  if (options.json === true) io.out(`${JSON.stringify({ url, keys })}\n`)
  else io.out(introduction(url, keys, key))
  await stopped
  await emulator.close()
  return EXIT.ok
}

function introduction(url: string, keys: Readonly<Record<string, string>>, key: string): string {
  return (
    `Clink is at ${url}, with these keys:\n\n${table(Object.entries(keys), '  ')}\n` +
    `Use it from another terminal:\n\n  export CLINK_API_URL=${url} CLINK_API_KEY=${key}\n` +
    `  clink-worker inbox\n  clink-worker api list_groups\n  clink-worker run\n\n` +
    `Control calls are below ${url}/_emulator/. Ctrl-C ends it.\n`
  )
}
