import { describe, expect, it } from 'vitest'
import { fitText, LONGEST_TEXT } from '../../../src/worker/replies/text.ts'

const MARK = '— clink-worker'

describe('a response is made to fit (P5, §5)', () => {
  it('leaves a text alone that fits, and adds its last line as a line of its own', () => {
    expect(fitText('done')).toEqual({ text: 'done', cut: false })
    expect(fitText('done', MARK)).toEqual({ text: `done\n${MARK}`, cut: false })
  })

  it('takes out what is not text: NUL and halves of surrogate pairs', () => {
    expect(fitText('a\0b\ud800c').text).toBe('a\ufffdb\ufffdc')
  })

  it('cuts at a code point, keeps the last line, and stays within the limit', () => {
    const { text, cut } = fitText('😀'.repeat(3_000), MARK)
    expect(cut).toBe(true)
    expect(text.length).toBeLessThanOrEqual(LONGEST_TEXT)
    expect(text.isWellFormed()).toBe(true)
    expect(text.endsWith(`[…]\n${MARK}`)).toBe(true)
  })

  it('counts bytes where the service refused the text otherwise', () => {
    const { text } = fitText('ä'.repeat(4_000), MARK, 'bytes')
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LONGEST_TEXT)
    expect(Buffer.byteLength(text)).toBeGreaterThan(LONGEST_TEXT - 8)
  })

  it('is exact at the border', () => {
    expect(fitText('x'.repeat(LONGEST_TEXT)).cut).toBe(false)
    expect(fitText('x'.repeat(LONGEST_TEXT + 1)).cut).toBe(true)
  })
})
