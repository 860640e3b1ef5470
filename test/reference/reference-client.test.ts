import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { defaultSeed, startEmulator } from '../../src/emulator/emulator.ts'
import { referencePython, whyNoPython } from './python.ts'

const run = promisify(execFile)
const why = await whyNoPython()
if (why !== undefined) console.log(`The reference client was not tried: ${why}.`)

it.skipIf(why !== undefined)(
  'the reference client works against the emulator, every function of it',
  { timeout: 180_000 },
  async () => {
    const python = await referencePython()
    // A human approves checkpoints; the key that may do everything is the one used.
    const groups = defaultSeed.groups.map((group) => ({ ...group, hil: { checkpoints: true } }))
    const emulator = await startEmulator({ seed: { ...defaultSeed, groups } })
    onTestFinished(() => emulator.close())
    const { stdout } = await run(python, [fileURLToPath(new URL('all_functions.py', import.meta.url))], {
      env: { PATH: process.env['PATH'], CLINK_API_URL: emulator.url, CLINK_API_KEY: emulator.keys['feedback'] },
    })
    expect(stdout).toBe('40 functions of the reference client\n')
    expect(emulator.requests().filter(({ status = 500 }) => status >= 500)).toEqual([])
  },
)
