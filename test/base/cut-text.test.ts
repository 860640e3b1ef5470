import { expect, it } from 'vitest'
import { cutText } from '../../src/base/cut-text.ts'
import { collect } from '../support/collect.ts'

it('says how long the text was, and cuts no pair of surrogates apart', () => {
  expect(cutText('short', 5)).toBe('short')
  const cut = cutText(`${'x'.repeat(67)}😀${'y'.repeat(200)}`, 100)
  expect(cut).toBe(`${'x'.repeat(67)} […, cut: 269 characters in all]`)
  expect(cutText('\uD83D'.repeat(200), 100)).toBe(`${'\uFFFD'.repeat(67)} […, cut: 200 characters in all]`)
})

it('keeps nothing of a longer text', () => {
  const used = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = used()
  const kept = Array.from({ length: 100 }, (_, n) =>
    cutText(JSON.parse(`"${'x'.repeat(400_000)}${n}"`) as string, 4_000),
  )
  expect(used() - before).toBeLessThan(5_000_000)
  expect(kept).toHaveLength(100)
})
