import { onTestFinished } from 'vitest'
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/emulator.ts'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Tests look into answers of every shape, and an expectation fails where a field is not there.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any
}

export interface Asking {
  /** Name of a key; the worker's where none is given. */
  readonly as?: string
  readonly session?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An emulator that ends with its test. */
export async function running(options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator(options)
  onTestFinished(() => emulator.close())
  return emulator
}

/** One request over the wire, by nothing but Node's fetch. */
export async function ask(
  emulator: Emulator,
  line: `${'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'} ${string}`,
  body?: unknown,
  { as = 'worker', session = 'one', headers = {} }: Asking = {},
): Promise<Answered> {
  const [method = '', path = ''] = line.split(' ')
  const response = await fetch(emulator.url + path, {
    method,
    headers: {
      authorization: `Bearer ${emulator.keys[as] ?? as}`,
      'x-clink-session-id': session,
      'content-type': 'application/json',
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = parsed(text)
  return { status: response.status, headers: response.headers, text, json, data: json?.data }
}

// oxlint-disable-next-line typescript/no-explicit-any
function parsed(text: string): any {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export const OPS = '6f1d3c1e-52a4-4b0e-9d3b-0a7b3f6c1001'
export const SUPPORT = '6f1d3c1e-52a4-4b0e-9d3b-0a7b3f6c1002'

/** A clock that stands still until it is moved. */
export function stillClock(start = Date.parse('2026-03-01T12:00:00.000Z')): { now(): number; move(ms: number): void } {
  let time = start
  return {
    now: () => time,
    move: (ms) => {
      time += ms
    },
  }
}
