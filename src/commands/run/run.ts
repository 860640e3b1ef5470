import type { ExitCode } from '../../base/coded-error.ts'
import { WorkerProcess } from '../../host/worker-process.ts'
import { createLogger } from '../../observe/log.ts'
import { loadOptions, loadSettings, readConfig } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import { loadMinded, sayStray } from '../terminal/load-handlers.ts'
import type { SettingsOptions } from '../terminal/settings.ts'
import { work, type WorkParts } from '../../daemon/service.ts'

/** The daemon, from its configuration to its end. */
export async function runWorker(
  settings: SettingsOptions,
  { ending, once }: Pick<WorkParts, 'ending' | 'once'>,
  io: Io,
): Promise<ExitCode> {
  // Before anything is awaited, so that no signal is lost.
  const host = new WorkerProcess({
    cwd: io.cwd,
    exit: (code) => io.exit(code),
    broken: (error) => sayStray(error, io),
  })
  const output = io.takeOutput()
  const { config, file, issue, key, warnings } = await loadSettings(settings, io)
  const logger = createLogger(config.log, {
    destination: { write: (line) => io.out(line) },
    terminal: io.terminal,
    color: io.color,
    journal: io.journal,
    secrets: io.secrets,
  })
  for (const message of warnings) logger.warn({ event: 'config.warning', message })
  const handlers = await loadMinded({ config, cwd: io.cwd, generation: 1, issue }, io)
  return await work({
    host,
    config,
    key,
    handlers,
    // The same file, though another one may come to be found first.
    configuration: {
      file,
      read: async () =>
        (await readConfig(loadOptions(file === null ? settings : { ...settings, config: file }, io), io)).config,
    },
    secrets: io.secrets,
    logger,
    cwd: io.cwd,
    env: io.env,
    output,
    durable: true,
    once,
    ending,
  })
}
