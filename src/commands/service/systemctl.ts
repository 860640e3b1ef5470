import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { CodedError } from '../../base/coded-error.ts'

/** Whose services: those of the system, or those of one user. */
export type Scope = 'system' | 'user'

/** @returns what it printed. @throws {CodedError} what it said where it failed. */
export function systemctl(scope: Scope, ...args: readonly string[]): string {
  const all = [...(scope === 'user' ? ['--user'] : []), ...args]
  const env = scope === 'user' ? { ...process.env, XDG_RUNTIME_DIR: runtimeDirectory(process.env) } : process.env
  const { error, status, stderr, stdout } = spawnSync('systemctl', all, { encoding: 'utf8', env })
  if (error !== undefined) throw noSystemd(error)
  if (status === 0) return stdout
  // Which properties it was asked for helps nobody.
  const command = ['systemctl', ...all.filter((arg) => !arg.startsWith('--property='))].join(' ')
  throw new CodedError('SERVICE_UNAVAILABLE', `${command}: ${stderr.trim() || `exit code ${status}`}`)
}

/** Whether systemd runs, and not only lies there, as in an image that is being built. */
export function isRunning(scope: Scope, env: NodeJS.ProcessEnv): boolean {
  return existsSync(scope === 'system' ? '/run/systemd/system' : `${runtimeDirectory(env)}/systemd/private`)
}

/** Where systemd of a user is reached, also by a session that `su` has begun, which is not told that. */
function runtimeDirectory({ XDG_RUNTIME_DIR: told = '' }: NodeJS.ProcessEnv): string {
  return isAbsolute(told) ? told : `/run/user/${process.getuid?.()}`
}

/** @throws {CodedError} where there is no systemd at all. */
export function needSystemctl(): void {
  const { error } = spawnSync('systemctl', ['--version'])
  if (error !== undefined) throw noSystemd(error)
}

function noSystemd(cause: Error): CodedError {
  const instead =
    'start "clink-worker run" by whatever starts services here, or in a container (the Dockerfile of the package)'
  return new CodedError('SERVICE_UNAVAILABLE', `there is no systemd here (no systemctl): ${instead}`, { cause })
}
