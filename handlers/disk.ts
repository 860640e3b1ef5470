// "disk" or "disk /var": calls a program. Without a shell, so that nothing in the clink's text can become a command.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { defineHandler } from 'clink-worker'

const run = promisify(execFile)

export default defineHandler({
  match: { content: /^disk(?:\s+(?<path>\/[\w./-]*))?\s*$/i },
  timeout: '30s',
  async handle(_clink, ctx) {
    const path = ctx.match.groups['path'] ?? '/'
    try {
      // The signal ends the program too, when the claim is lost, the time is over or the worker stops.
      const { stdout } = await run('df', ['-P', '-k', '--', path], { signal: ctx.signal })
      const [, size, used, , share] = stdout.trim().split('\n').at(-1)?.split(/\s+/) ?? []
      return `${path}: ${gigabytes(used)} of ${gigabytes(size)} GB used (${share ?? '?'})`
    } catch (error) {
      // A path that does not exist will not exist at the next attempt either.
      if (!ctx.signal.aborted && isExit(error)) return ctx.reject(`df cannot look at ${path}`)
      throw error
    }
  },
})

function gigabytes(blocks: string | undefined): string {
  return (Number(blocks) / 1024 ** 2).toFixed(1)
}

function isExit(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number'
}
