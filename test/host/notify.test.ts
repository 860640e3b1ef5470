import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { datagramAddOn, ServiceManager, watchdogOf, wayToManager } from '../../src/host/notify.ts'
import { until } from '../support/until.ts'
import { TempDir } from '../support/temp-dir.ts'

/** Notes what is sent, and refuses what it is told to. */
class Heard {
  readonly messages: string[] = []
  problem: string | undefined
  readonly troubles: (string | undefined)[] = []
  readonly manager = new ServiceManager(
    async (message) => {
      if (this.problem !== undefined) throw new Error(this.problem)
      this.messages.push(message)
    },
    (problem) => this.troubles.push(problem),
  )
}

describe('what the service manager is told', () => {
  it('goes in one message where it is told in one turn, each value on one line', async () => {
    const heard = new Heard()
    heard.manager.tell({ READY: 1 })
    heard.manager.tell({ STATUS: 'first\nREADY=1\nsecond' })
    await heard.manager.idle()
    expect(heard.messages).toEqual(['READY=1\nSTATUS=first READY=1 second'])
  })

  it('says the newest state only, and never two that contradict each other', async () => {
    const heard = new Heard()
    heard.manager.tell({ RELOADING: 1, MONOTONIC_USEC: 5n })
    heard.manager.tell({ READY: 1 })
    await heard.manager.idle()
    heard.manager.tell({ READY: 1 })
    heard.manager.tell({ STOPPING: 1 })
    await heard.manager.idle()
    expect(heard.messages).toEqual(['READY=1', 'STOPPING=1'])
  })

  it('is kept while nobody hears it, but for signs of life, and the trouble is said once', async () => {
    const heard = new Heard()
    heard.problem = 'gone'
    heard.manager.tell({ READY: 1, STATUS: 'waits', WATCHDOG: 1, EXTEND_TIMEOUT_USEC: 5 })
    await heard.manager.idle()
    heard.manager.tell({ STATUS: 'works' })
    await heard.manager.idle()
    heard.problem = undefined
    heard.manager.tell({})
    await heard.manager.idle()
    expect(heard.messages).toEqual(['READY=1\nSTATUS=works'])
    expect(heard.troubles).toEqual(['gone', undefined])
    heard.manager.tell({})
    await heard.manager.idle()
    expect(heard.messages).toHaveLength(1)
  })

  it('is not a state of before where a newer one waits', async () => {
    const heard = new Heard()
    heard.problem = 'gone'
    heard.manager.tell({ RELOADING: 1, MONOTONIC_USEC: 5n })
    await heard.manager.idle()
    heard.problem = undefined
    heard.manager.tell({ READY: 1 })
    await heard.manager.idle()
    expect(heard.messages).toEqual(['READY=1'])
  })
})

it('a process without NOTIFY_SOCKET has no manager', () => {
  expect(wayToManager({})).toBeUndefined()
  expect(wayToManager({ NOTIFY_SOCKET: '' })).toBeUndefined()
})

it.each([
  [{}, undefined],
  [{ WATCHDOG_USEC: '3000000' }, 3_000],
  [{ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' }, 3_000],
  [{ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
])('the watchdog of %j is %s ms', (env, expected) => {
  expect(watchdogOf(env, 7)).toBe(expected)
})

/** A socket such as systemd's, of another program: Node has none. It prints what it gets. */
const LISTEN = `
import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])
print("up", flush=True)
if len(sys.argv) > 2:
    sys.stdin.readline()
while True:
    print(repr(s.recv(4096).decode()), flush=True)
`

class Listener implements Disposable {
  readonly lines: string[] = []
  readonly #child

  constructor(address: string, ...args: readonly string[]) {
    this.#child = spawn('python3', ['-c', LISTEN, address, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.lines.push(line))
  }

  async heard(count: number): Promise<readonly string[]> {
    await until(
      () => this.lines.length > count,
      () => `${count} messages: ${this.lines.join()}`,
    )
    return this.lines.slice(1)
  }

  go(): void {
    this.#child.stdin.write('\n')
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}

describe('how it gets there', () => {
  it('by the add-on', async (context) => {
    if (datagramAddOn() === undefined) context.skip('node-unix-socket is not installed here')
    using dir = new TempDir()
    const address = join(dir.path, 'notify')
    using listener = new Listener(address)
    await listener.heard(0)
    const way = wayToManager({ NOTIFY_SOCKET: address, PATH: '/nowhere' })
    await way?.('READY=1\nSTATUS=ä')
    expect(await listener.heard(1)).toEqual([String.raw`'READY=1\nSTATUS=ä'`])
  })

  it('not at all where the socket is gone, or its reader takes nothing: then it is said, and soon', async (context) => {
    if (datagramAddOn() === undefined) context.skip('node-unix-socket is not installed here')
    using dir = new TempDir()
    const gone = wayToManager({ NOTIFY_SOCKET: join(dir.path, 'gone') })
    await expect(gone?.('READY=1')).rejects.toThrow('No such file')
    const address = join(dir.path, 'notify')
    using listener = new Listener(address, 'waits')
    await listener.heard(0)
    const way = wayToManager({ NOTIFY_SOCKET: address })
    let sent = 0
    const fill = async (): Promise<void> => {
      for (;;) {
        await way?.(`STATUS=${sent}`)
        sent += 1
      }
    }
    await expect(fill()).rejects.toThrow('takes nothing')
    listener.go()
    await listener.heard(sent)
    await way?.('READY=1')
    expect((await listener.heard(sent + 1)).at(-1)).toBe("'READY=1'")
  })

  it('by a program, where there is no add-on or it does not know the address', async (context) => {
    using dir = new TempDir()
    const name = `@clink-worker-test-${process.pid}`
    for (const [address, addOn] of [
      [join(dir.path, 'notify'), () => undefined],
      [name, datagramAddOn],
    ] as const) {
      using listener = new Listener(address)
      await listener.heard(0)
      const way = wayToManager({ NOTIFY_SOCKET: address, PATH: process.env['PATH'] }, addOn)
      try {
        await way?.('READY=1\nSTATUS=it waits')
      } catch (error) {
        if (String(error).includes('ENOENT')) context.skip('there is no systemd-notify here: npm run test:prepare')
        // It waits for a manager that has taken its word; this one only reads.
      }
      expect((await listener.heard(1))[0]).toBe(String.raw`'READY=1\nSTATUS=it waits'`)
    }
  })

  it('says that there is no program either', async () => {
    const way = wayToManager({ NOTIFY_SOCKET: '/run/nobody', PATH: '/nowhere' }, () => undefined)
    await expect(way?.('READY=1')).rejects.toThrow('systemd-notify: spawn systemd-notify ENOENT')
  })
})
