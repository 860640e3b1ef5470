import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { isAlive, Site } from '../support/command.ts'
import { built } from '../support/program.ts'
import { pythonProblem } from '../support/python.ts'
import { stillClaimed, times } from '../support/record.ts'
import { completed, failNowAndThen } from '../support/under-faults.ts'
import { until } from '../support/until.ts'

const QUICK = 'poll: { interval: 50ms, maxInterval: 200ms }\nretry: { backoff: 100ms }\n'
const handler = 'export default () => "of the handler"\n'

const hasPython = pythonProblem === ''
if (!hasPython) process.stderr.write('no python3 here: a shell script stands in for the Python program\n')

const PYTHON = `
import json, os, sys
task = json.load(sys.stdin)
with open(os.environ["NOTES"], "a") as notes:
    notes.write(task["clink"]["clink_id"] + "\\n")
print("done: " + task["clink"]["content"])
`
const SHELL = `
echo "$CLINK_TASK_ID" >> "$NOTES"
sed -n 's/.*"content":"\\([^"]*\\)".*/done: \\1/p'
`

/** A site on which a program works every clink. */
async function open(script: { name: string; text: string }, exec: string, settings = ''): Promise<Site> {
  const config = `${QUICK}${settings}routes:\n  - name: program\n    exec: ${exec}\n`
  const site = await Site.open({ handler, config, emulator: { switches: { defaultTimeout: 20 } } })
  const file = join(site.directory, script.name)
  await writeFile(file, script.text)
  await chmod(file, 0o755)
  return site
}

describe('§4: a program', () => {
  it('in Python works 200 clinks under faults: none is lost, none completed twice', { timeout: 240_000 }, async () => {
    const script = hasPython ? { name: 'work.py', text: PYTHON } : { name: 'work.sh', text: SHELL }
    await using site = await open(script, hasPython ? '[python3, ./work.py]' : '[sh, ./work.sh]')
    failNowAndThen(site)
    const ids = site.sendMany(200)
    const command = site.start('run', '--concurrency', '8')
    await completed(site, ids, command)
    command.signal('SIGTERM')

    expect(await command.exited, command.output.slice(-3_000)).toBe(0)
    expect(ids.filter((id) => times(site.emulator, id, 'completed') !== 1)).toEqual([])
    expect(new Set(await site.noted())).toEqual(new Set(ids))
    const answered = site.emulator.clinks().filter(({ answers }) => answers !== undefined)
    expect(answered.map(({ content }) => content.replace(/\n.*/s, '')).sort()).toEqual(
      ids.map((_, n) => `done: task ${n}`).sort(),
    )
    expect(stillClaimed(site.emulator)).toEqual([])
  })

  it('P8: that runs when the worker is stopped has its time to finish', async () => {
    const text = 'echo "begun $$" >> "$NOTES"; sleep 1.5; echo finished'
    await using site = await open({ name: 'slow.sh', text }, '[sh, ./slow.sh]')
    const ids = site.sendMany(2)
    const command = site.start('run')
    await until(
      async () => (await site.noted()).length === 2,
      () => `both run:\n${command.output}`,
    )
    command.signal('SIGTERM')

    expect(await command.exited, command.output).toBe(0)
    for (const id of ids) expect(site.emulator.clink(id)?.status).toBe('completed')
  })

  it('that ignores its abort is killed with what it has started, and its clink given back, before the worker is gone', async () => {
    const text = `trap '' TERM; echo $$ >> "$NOTES"
      (setsid sh -c 'trap "" TERM; echo $$ >> "$NOTES"; while :; do sleep 0.2; done' &)
      while :; do sleep 0.2; done`
    await using site = await open(
      { name: 'stuck.sh', text },
      '[sh, ./stuck.sh]',
      'shutdown: { drain: 200ms, timeout: 6s }\n',
    )
    const [id = ''] = site.sendMany(1)
    const command = site.start('run')
    await until(
      async () => (await site.noted()).length === 2,
      () => `it runs:\n${command.output}`,
    )
    command.signal('SIGTERM')

    expect(await command.exited, command.output).toBe(0)
    expect((await site.noted()).map(Number).filter(isAlive)).toEqual([])
    expect([site.emulator.clink(id)?.status, times(site.emulator, id, 'released')]).toEqual(['pending', 1])
  })

  it('that is taken away pauses its route and costs no attempt; when it is back its clinks are worked', async () => {
    const text = '#!/bin/sh\necho done'
    const settings = 'retry: { backoff: 100ms, attempts: 1, cooldown: 1s }\n'
    await using site = await open({ name: 'work.sh', text }, '[./work.sh]', '')
    await writeFile(
      join(site.directory, 'clink-worker.yaml'),
      `poll: { interval: 50ms, maxInterval: 200ms }\n${settings}routes:\n  - { name: program, exec: [./work.sh] }\n`,
    )
    const command = site.start('run')
    await until(
      () => command.output.includes('worker.ready'),
      () => `it is up:\n${command.output}`,
    )
    await rename(join(site.directory, 'work.sh'), join(site.directory, 'away.sh'))
    const ids = site.sendMany(2)
    await until(
      () => command.output.includes('route.paused'),
      () => `its route pauses:\n${command.output}`,
    )
    await rename(join(site.directory, 'away.sh'), join(site.directory, 'work.sh'))
    await completed(site, ids, command)

    expect(command.output).toContain(`${join(site.directory, 'work.sh')} is not there`)
    expect(command.output).not.toContain('clink.deadLettered')
  })
})

it(
  'P13: a program has the key only where its route says so, and what it masks is in no log',
  { timeout: 60_000 },
  async () => {
    const task = `${process.execPath} ${built} task`
    const config = `${QUICK}routes:
  - name: with
    match: { content: { prefix: with } }
    exec: { command: [sh, -c, 'echo "key $CLINK_API_KEY at $CLINK_API_URL"'], passKey: true }
  - name: without
    exec: [sh, -c, '${task} mask very-secret-1; echo "it is very-secret-1" >&2; echo "key $\${CLINK_API_KEY:-none}"']
`
    await using site = await Site.open({ handler, config })
    for (const text of ['with', 'another']) site.emulator.send('ops', text, { from: 'bob' })
    const command = site.start('run', '--once', '--max-time', '40s')
    expect(await command.exited, command.output).toBe(0)
    const said = site.emulator
      .clinks()
      .flatMap(({ answers, content }) => (answers === undefined ? [] : [content.replace(/\n.*/s, '')]))
    expect(said.sort()).toEqual([`key ${site.emulator.key} at ${site.emulator.url}`, 'key none'].sort())
    expect(command.output).toContain('it is [secret]')
    expect(command.output).not.toContain('very-secret-1')
  },
)

describe('P3, P9, §4: after a kill -9 of the worker', () => {
  beforeEach((context) =>
    context.skip(!existsSync('/proc/self/stat'), 'no /proc here: what outlives a crash is not found'),
  )

  it(
    'what a program has left behind, that ignores SIGTERM and has forked away, is gone before its clink runs again',
    { timeout: 90_000 },
    async () => {
      const text = `trap '' TERM
      if [ "$CLINK_TASK_ATTEMPT" -gt 1 ]; then
        for pid in $(cat pids); do grep -qs '^State:.*[RSDT] ' "/proc/$pid/status" && echo "beside $pid" >> "$NOTES"; done
        echo after >> "$NOTES"; echo done; exit
      fi
      echo $$ >> pids
      (setsid sh -c 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.1; done' &)
      while [ "$(wc -l < pids)" -lt 2 ]; do sleep 0.05; done
      echo begun >> "$NOTES"
      while :; do sleep 0.1; done`
      await using site = await open({ name: 'work.sh', text }, '[sh, ./work.sh]')
      const [id = ''] = site.sendMany(1)
      const first = site.start('run')
      await until(
        async () => (await site.noted()).includes('begun'),
        () => `it runs:\n${first.output}`,
      )
      first.signal('SIGKILL')
      await first.exited
      const pids = readFileSync(join(site.directory, 'pids'), 'utf8').trim().split('\n').map(Number)
      expect(pids.filter(isAlive)).toHaveLength(2)
      const second = site.start('run')
      await completed(site, [id], second)
      second.signal('SIGTERM')

      expect(await second.exited, second.output).toBe(0)
      expect(await site.noted()).toEqual(['begun', 'after'])
      expect(second.output).toContain('program.left')
      expect(pids.filter(isAlive)).toEqual([])
    },
  )
})

describe('§4: a program that is not in order', () => {
  it.each(['check', 'run'])('is found by %s, with file, line and value', async (name) => {
    await using site = await open({ name: 'work.sh', text: '' }, '[./wrk.sh]')
    const command = site.start(name)
    expect([await command.exited, command.output]).toEqual([
      78,
      expect.stringMatching(/clink-worker\.yaml:5: routes\[0\]\.exec\[0\]: "\.\/wrk\.sh" is not there/),
    ])
  })

  it('is found as well where no socket could have its path, with what to set', async () => {
    const directory = `./${'long/'.repeat(25)}`
    await using site = await open(
      { name: 'work.sh', text: '#!/bin/sh' },
      '[./work.sh]',
      `state: { directory: ${directory} }\n`,
    )
    const command = site.start('check')
    expect([await command.exited, command.output]).toEqual([
      78,
      expect.stringMatching(/a socket's path has at most 107 bytes; choose a shorter state\.directory/),
    ])
  })
})

it('clink-worker task is quick: it loads nothing but itself', () => {
  const loader = `data:text/javascript,${encodeURIComponent(`import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, next) { if (url.startsWith('file:')) process.stderr.write(url + '\\n'); return next(url, context) } })`)}`
  const { stderr } = spawnSync(process.execPath, ['--import', loader, built, 'task', '--help'], { encoding: 'utf8' })
  expect(
    stderr
      .split('\n')
      .filter((line) => line.startsWith('file:'))
      .map((url) => url.replace(/.*\/dist\//, '').replace(/-[^-/]*\.js$/, '')),
  ).toEqual(['cli.js', 'chunks/task', 'chunks/task'])
})
