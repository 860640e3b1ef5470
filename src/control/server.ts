import { join } from 'node:path'
import { checkSocketPath, LineSocket, type LineSocketOptions } from '../base/line-socket.ts'

/** @throws {CodedError} USAGE when no socket can have this path. */
export function controlPath(directory: string): string {
  return checkSocketPath(join(directory, 'control.sock'), 'a running worker cannot be reached', 'USAGE')
}

/** Where commands reach the running worker. */
export class ControlSocket extends LineSocket {
  constructor({ directory, ...options }: Omit<LineSocketOptions, 'path'> & { readonly directory: string }) {
    super({ ...options, path: () => controlPath(directory) })
  }
}
