import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WORDS } from './world.ts'

const SEEDS = 1_000

/** Everything that a play says, and the code it ends with. */
async function play(): Promise<{ code: number; text: string }> {
  const file = fileURLToPath(new URL('simulate.ts', import.meta.url))
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [file, '--seeds', String(SEEDS), '--vocabulary', 'all'],
      { maxBuffer: 1e9 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, text: stdout + stderr })
      },
    )
  })
}

it(`whole workers on virtual time keep their promises over ${SEEDS} seeds`, { timeout: 900_000 }, async () => {
  const { code, text } = await play()
  expect(text).toContain(`${SEEDS} seeds in`)
  expect(text).toContain(' 0 failed')
  expect(code).toBe(0)
  // A simulation in which nothing happens would pass.
  const [, requests, runs, reruns, keyActs] =
    /: (\d+) requests, (\d+) runs, (\d+) without a claim, (\d+) acts on keys/.exec(text) ?? []
  expect(Number(requests)).toBeGreaterThan(SEEDS * 50)
  expect(Number(runs)).toBeGreaterThan(SEEDS * 5)
  expect(Number(reruns)).toBeGreaterThan(SEEDS / 2)
  expect(Number(keyActs)).toBeGreaterThan(SEEDS / 2)
  const [, words = ''] = /^words: (.*)$/m.exec(text) ?? []
  for (const word of WORDS) {
    const [, count] = new RegExp(String.raw`\b${word} in (\d+)`).exec(words) ?? []
    expect(Number(count), word).toBeGreaterThan(SEEDS / 50)
  }
})
