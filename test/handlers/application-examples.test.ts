import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { UrlTarget } from '../../src/handlers/route.ts'
import { httpRunner } from '../support/application.ts'
import { Bench, type Station } from '../support/harness.ts'
import { answers } from '../support/record.ts'
import { pythonProblem } from '../support/python.ts'
import { TempDir } from '../support/temp-dir.ts'

const EXAMPLES = fileURLToPath(new URL('../../docs/examples', import.meta.url))
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** A worker that asks the example, which runs until the test is over. */
async function workBy(bench: Bench, program: string, file: string, signs: boolean): Promise<Station> {
  const directory = new TempDir()
  const secretFile = join(directory.path, 'secret')
  await writeFile(secretFile, SECRET)
  const env = { ...process.env, PORT: '0', SECRET_FILE: secretFile }
  const application = spawn(program, [join(EXAMPLES, file)], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    application.kill('SIGKILL')
    directory[Symbol.dispose]()
  })
  const [said] = await once(application.stdout, 'data')
  const port = /\d+/.exec(String(said))?.[0] ?? ''
  const target: UrlTarget = {
    is: 'url',
    url: `http://127.0.0.1:${port}/clinks`,
    secretFile: signs ? secretFile : undefined,
    connectTimeout: 5_000,
    maxResponse: 1_048_576,
  }
  return bench.work(() => {}, { runner: httpRunner(), target, settings: { retry: { attempts: 1 } } })
}

describe.each([
  ['python3', 'application.py'],
  [process.execPath, 'application.mjs'],
])('the example application %s %s', (program, file) => {
  it('answers, and tells of its progress', async (context) => {
    context.skip(program === 'python3' && pythonProblem !== '', `python3 is not there: ${pythonProblem}`)
    await using bench = await Bench.open()
    await workBy(bench, program, file, true)
    const ids = [bench.send('three short wörds'), bench.send('a '.repeat(600))]
    await bench.completed(ids)
    const said = answers(bench.emulator).map(({ content }) => content.split('\n')[0])
    expect(said.toSorted((a = '', b = '') => a.localeCompare(b))).toEqual([
      'bob, you wrote 3 words; the longest is three.',
      'bob, you wrote 600 words; the longest is a.',
    ])
    expect(bench.emulator.clinks().map(({ content }) => content)).toContainEqual(
      expect.stringContaining('600 words, this takes a moment'),
    )
  })

  it('takes nothing that the worker has not signed', async (context) => {
    context.skip(program === 'python3' && pythonProblem !== '', `python3 is not there: ${pythonProblem}`)
    await using bench = await Bench.open()
    const station = await workBy(bench, program, file, false)
    const id = bench.send('hello')
    expect(await station.seen('clink.ended', id)).toMatchObject({
      outcome: 'unavailable',
      reason: expect.stringContaining('answers 401 Unauthorized'),
      said: 'it is not signed by the worker',
    })
  })
})
