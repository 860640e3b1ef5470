import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { Identity } from '../../../src/keys/identity.ts'
import { endingLine, hopsOf, isJson, readText, withJsonHops, type Ending } from '../../../src/worker/replies/hops.ts'
import { fitText } from '../../../src/worker/replies/text.ts'
import { circleEnd, sign, type Sending } from '../../../src/worker/replies/sign.ts'
import { makeSettings, type Settings } from '../../support/settings.ts'

const MARK = '— clink-worker'

describe('the last line is read by its fixed end, whatever mark stands before it (P15, §5)', () => {
  it.each<[string, string, Ending | undefined]>([
    ['done\n— clink-worker · hop 1', 'done', 1],
    ['done\n\n— clink-worker · hop 12  \n\n', 'done\n', 12],
    ['done\r\n— clink-worker · hop 2', 'done', 2],
    ['done\nsent by the bot of team 7 · hop 3', 'done', 3],
    ['done\n · hop 3', 'done', 3],
    ['done\n· hop 3', 'done', 3],
    ['— clink-worker · hop 4', '', 4],
    ['half way\n— other · note', 'half way', 'note'],
    ['— clink-worker: not run · hop end', '', 'end'],
    // What earlier versions wrote.
    ['done\n— clink-worker', 'done', 1],
    ['done\n— clink-worker\n', 'done', 1],
    ['— clink-worker\nis what it said', '— clink-worker\nis what it said', undefined],
    ['said the — clink-worker', 'said the — clink-worker', undefined],
    ['done\n— clink-worker · hop 3\nand more', 'done\n— clink-worker · hop 3\nand more', undefined],
    ['one more hop 3', 'one more hop 3', undefined],
    ['a·hop 3', 'a·hop 3', undefined],
    ['— clink-worker · hop', '— clink-worker · hop', undefined],
    ['— clink-worker · hop -1', '— clink-worker · hop -1', undefined],
    ['', '', undefined],
    ['  text \n', '  text \n', undefined],
    ['{\t\t"a":1}', '{"a":1}', 2],
    ['{"a":1}\n— clink-worker · hop 2', '{"a":1}', 2],
    ['[\t]', '[]', 1],
    ['{\n\t"a": 1\n}', '{\n\t"a": 1\n}', undefined],
  ])('%j', (content, text, ending) => {
    expect(readText(content, MARK)).toEqual({ text, ending })
  })

  it.each<Ending>([1, 8, 999, 'note', 'end'])('what was written is read again: %s', (ending) => {
    for (const mark of [MARK, '-', 'a · hop 3', 'x'.repeat(200)]) {
      for (const text of ['done', '', 'two\nlines\n', 'said · note', '\ntext']) {
        const sent = fitText(text, endingLine(mark, ending)).text
        expect(readText(sent, 'quite another mark')).toEqual({ text, ending })
        expect(readText(sent.trim(), 'quite another mark').ending).toBe(ending)
      }
    }
  })

  it('nothing ends with an empty mark', () => {
    expect(readText('text\n', '').ending).toBeUndefined()
    expect(readText('text\n\n ', ' ').ending).toBeUndefined()
  })

  it.each(['utf16', 'bytes'] as const)('a text that is cut keeps its line (%s)', (unit) => {
    const { text, cut } = fitText('ä\u{1F980}'.repeat(4_000), endingLine(MARK, 3), unit)
    expect(cut).toBe(true)
    expect(readText(text, MARK).ending).toBe(3)
    expect(Math.max(text.length, unit === 'bytes' ? Buffer.byteLength(text) : 0)).toBeLessThanOrEqual(4_096)
  })
})

describe('JSON carries its hops where readers of JSON pass over them (P15, §5)', () => {
  it.each(['{}', '[]', '{"a":[1,{"b":2}]}', '[[1],2]', ' {"a": 1}', '{\n  "a": 1\n}'])('%j', (json) => {
    const sent = withJsonHops(json, 5)
    expect(JSON.parse(sent)).toEqual(JSON.parse(json))
    expect(readText(sent, MARK)).toEqual({ text: json, ending: 5 })
    expect(hopsOf(readText(withJsonHops(sent, 6), MARK).ending)).toBe(6)
  })

  it('is an object or an array, nothing else', () => {
    expect(['{}', '[1]', ' {"a":1} '].map(isJson)).toEqual([true, true, true])
    expect(['1', '"a"', 'null', '', '{', '[draft] done', '{a}'].map(isJson)).toEqual(Array(7).fill(false))
  })
})

const clink = (content: string, sender_id: string): Clink => ({
  clink_id: 'msg_1',
  group_id: 'g',
  sender_id,
  sender_name: 'somebody',
  content,
  created_at: '2026-01-01T00:00:00.000Z',
  status: 'claimed',
})

function signed(
  text: string,
  sending: Partial<Sending> & { readonly content?: string } = {},
  { us = 'ap_us', agents = [], ...inbox }: Settings['inbox'] & { us?: string; agents?: readonly string[] } = {},
): string {
  const { content = 'do it', to, ...rest } = sending
  const parts = {
    settings: makeSettings({ inbox }),
    identity: new Identity(us === '' ? undefined : us, () => {}),
    agentProfiles: { has: (id: string | undefined) => id?.startsWith('ap_') === true || agents.includes(id ?? '') },
  }
  const made = sign(text, { clink: clink(content, 'user_bob'), is: 'answer', mark: 'auto', to, ...rest }, parts)
  return fitText(made.text, made.line).text
}

describe('who gets the line and who does not (P15, §5)', () => {
  const hop = (n: number | string): string => `\n${MARK} · hop ${n}`

  it('people read plain words and plain JSON', () => {
    expect(signed('done', { to: 'user_bob' })).toBe('done')
    expect(signed('{"ok":true}', { to: 'user_bob' })).toBe('{"ok":true}')
    expect(signed('half way', { to: 'user_bob', is: 'note' })).toBe('half way')
  })

  it('what may come back to us is signed, JSON too', () => {
    for (const to of ['ap_us', undefined]) {
      expect(signed('done', { to })).toBe(`done${hop(1)}`)
      expect(signed('{}', { to })).toBe(`{}${hop(1)}`)
      expect(signed('half way', { to, is: 'note' })).toBe(`half way\n${MARK} · note`)
    }
    expect(signed('done', { to: 'user_bob' }, { us: '' })).toBe(`done${hop(1)}`)
    expect(signed('done', { to: 'user_bob' }, { for: 'anyone' })).toBe(`done${hop(1)}`)
  })

  it('agents are told the hops, by their ids or by the list of members, in JSON as well', () => {
    expect(signed('done', { to: 'ap_other' })).toBe(`done${hop(1)}`)
    expect(signed('done', { to: 'robot-7' }, { agents: ['robot-7'] })).toBe(`done${hop(1)}`)
    expect(signed('{"ok":1}', { to: 'ap_other' })).toBe('{\t"ok":1}')
    expect(signed('half way', { to: 'ap_other', is: 'note' })).toBe(`half way\n${MARK} · note`)
  })

  it('hops are counted on, whoever the recipient is', () => {
    const content = 'do it\nother mark · hop 3'
    expect(signed('done', { to: 'user_bob', content })).toBe(`done${hop(4)}`)
    expect(signed('[1]', { to: 'user_bob', content })).toBe('[\t\t\t\t1]')
    expect(signed('[1]', { to: 'user_bob', content: '{\t\t"a":1}' })).toBe('[\t\t\t1]')
    expect(signed('half way', { to: 'user_bob', content, is: 'note' })).toBe(`half way\n${MARK} · note`)
  })

  it('a route with mark: never leaves the line out, unless the clink in hand counts hops', () => {
    expect(signed('done', { to: 'ap_other', mark: 'never' })).toBe('done')
    expect(signed('{}', { to: 'ap_other', mark: 'never' })).toBe('{}')
    expect(signed('done', { to: undefined, mark: 'never' })).toBe('done')
    expect(signed('done', { to: 'ap_other', mark: 'never', content: 'x\n· hop 1' })).toBe(`done${hop(2)}`)
  })

  it('the end of a circle is one line that ends with it', () => {
    const { text, line } = circleEnd(MARK, 8)
    const sent = fitText(text, line).text
    expect(sent).toMatch(/^— clink-worker: [^\n]+ 8 [^\n]+ · hop end$/)
    expect(readText(sent, 'another').ending).toBe('end')
  })
})
