import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it } from 'vitest'
import { Bench } from '../support/harness.ts'
import { built } from '../support/program.ts'
import { answers } from '../support/record.ts'
import { execRunner, program } from '../support/programs.ts'
import { pythonProblem } from '../support/python.ts'
import { TempDir } from '../support/temp-dir.ts'

const EXAMPLES = fileURLToPath(new URL('../../docs/examples', import.meta.url))

interface Played {
  readonly answer: string | undefined
  readonly logged: readonly string[]
  readonly said: string | undefined
  readonly sent: readonly string[]
}

/** What an example makes of a clink with this text. */
async function play(
  command: readonly string[],
  text: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Played> {
  await using bench = await Bench.open()
  const id = bench.send(text)
  const target = program(command, { env })
  const station = bench.work(() => {}, { runner: execRunner(), target, settings: { retry: { attempts: 1 } } })
  const { said } = await station.seen('clink.ended', id)
  if (said === undefined) await bench.completed(id)
  await station.daemon.stop('the test is over')
  return {
    answer: answers(bench.emulator)[0]?.content.split('\n— clink-worker')[0],
    logged: station.all('clink.log', id).map(({ message }) => message),
    said,
    sent: bench.emulator
      .clinks()
      .flatMap(({ answers: to, content, clink_id: sent }) => (to === undefined && sent !== id ? [content] : [])),
  }
}

describe.concurrent('the example programs in Python', () => {
  beforeEach((context) => context.skip(pythonProblem !== '', `python3 is not there: ${pythonProblem}`))
  const answer = ['python3', join(EXAMPLES, 'answer.py')]
  const agent = ['python3', join(EXAMPLES, 'agent.py')]

  it('answer.py answers, tells of its progress, and rejects what it cannot do', async () => {
    expect(await play(answer, 'three short wörds')).toMatchObject({
      answer: 'bob, you wrote 3 words; the longest is three.',
      logged: ['reading'],
    })
    expect((await play(answer, 'word '.repeat(501))).sent).toEqual([expect.stringContaining('501 words, this takes')])
    expect(await play(answer, ' ')).toMatchObject({ answer: undefined, said: 'there is nothing to count' })
  })

  it('agent.py gives a prompt to a command-line agent, and its answer to the sender', async () => {
    const stub = `sh -c "echo thinking >&2; sed 's/^/> /'"`
    const { answer: said, logged } = await play(agent, 'ask why is it so', { AGENT: stub })
    expect(said).toContain('> ask why is it so')
    expect(said).toMatch(/^> bob writes to /)
    expect(logged).toEqual(['thinking'])
  })

  it.each([
    ['is at its rate limit', 'sh -c "cat >&2; echo Rate limit reached; exit 1"', /rate limit/],
    ['fails', 'sh -c "cat > /dev/null; exit 3"', /ended with 3/],
  ])('agent.py, when its agent %s, says so', async (_, stub, reason) => {
    expect(await play(agent, 'ask', { AGENT: stub })).toMatchObject({
      answer: undefined,
      said: expect.stringMatching(reason),
    })
  })
})

describe('the example program in shell', () => {
  it('deploy.sh deploys what is named, tells of its progress, and rejects the rest', async () => {
    using directory = new TempDir()
    const [bin, deploy] = [join(directory.path, 'clink-worker'), join(directory.path, 'deploy')]
    await writeFile(bin, `#!/bin/sh\nexec ${process.execPath} ${built} "$@"\n`)
    await writeFile(deploy, `#!/bin/sh\necho "$@" >> ${join(directory.path, 'deployed')}\n`)
    await Promise.all([bin, deploy].map(async (file) => await chmod(file, 0o755)))
    const env = { PATH: `${directory.path}:${process.env['PATH'] ?? ''}`, DEPLOY: deploy }
    const command = [join(EXAMPLES, 'deploy.sh')]

    expect(await play(command, 'deploy web-1, please', env)).toMatchObject({
      answer: 'web-1 is deployed',
      sent: [expect.stringContaining('deploying web-1')],
    })
    expect(await readFile(join(directory.path, 'deployed'), 'utf8')).toMatch(/^web-1 msg_\w+\n$/)
    expect(await play(command, 'deploy ../etc', env)).toMatchObject({ said: 'say what: deploy NAME' })
  })
})
