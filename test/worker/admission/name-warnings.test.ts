import { expect, it } from 'vitest'
import type { WorkerEvent } from '../../../src/events.ts'
import { idPatterns } from '../../../src/handlers/sender-match.ts'
import { NameWarnings } from '../../../src/worker/admission/name-warnings.ts'
import { makeSettings } from '../../support/settings.ts'
import { clink } from '../../support/sample-records.ts'

const from = (sender_id: string, sender_name: string) => ({ ...clink, sender_id, sender_name })

it('a pattern that fits a name and no id is said once, with what to write; others are not (design, section 4)', () => {
  const said: string[] = []
  const emit = (event: WorkerEvent): void => void ('advice' in event && said.push(event.advice))
  const rules = ['Ali*', 'user_b*', { name: 'Bob' }, '*']
  const settings = makeSettings({ inbox: { ignore: ['self'] } })
  const router = { idPatterns: idPatterns('match.from of the route r', rules) }
  const warnings = new NameWarnings({ emit, settings }, router)
  for (let n = 0; n < 3; n += 1) {
    warnings.look(from('user_b1', 'Bob'))
    warnings.look(from('user_b2', 'user_b*'))
    warnings.look(from('user_c', 'self'))
    warnings.look(from('user_a', 'Alice'))
  }
  expect(said).toEqual([
    'match.from of the route r looks at ids only: write { name: "Ali*" } if a display name is meant, which anyone may take, or the id, which is "user_a" for the sender that it fits now',
  ])
})
