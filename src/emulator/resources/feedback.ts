import type { FeedbackResponse } from '../../clink/records.ts'
import type { Call } from '../call.ts'
import { Refusal } from '../refusal.ts'
import type { StoredFeedback } from '../store/tables.ts'
import { stamp } from '../world.ts'

const MAX_CONTENT = 8_192
const limits = [
  { ms: 60_000, most: 5, name: 'a minute' },
  { ms: 86_400_000, most: 10, name: 'a day' },
] as const

export function submitFeedback({ world, caller, input, now }: Call): FeedbackResponse {
  const content = input.text('content')
  const length = Array.from(content).length
  if (length > MAX_CONTENT)
    throw new Refusal(400, `"content" is too long: ${length} characters, at most ${MAX_CONTENT}`)
  const mine = [...world.tables.feedback.values()].filter(({ owner_id }) => owner_id === caller.owner.id)
  for (const { ms, most, name } of limits) {
    const recent = mine.filter(({ at }) => at > now - ms)
    const [oldest] = recent
    if (recent.length < most || oldest === undefined) continue
    const headers = { 'retry-after': String(Math.ceil((oldest.at + ms - now) / 1_000)) }
    throw new Refusal(429, `At most ${most} pieces of feedback ${name}`, { headers })
  }
  const tool = input.object('context')?.['tool']
  const feedback: StoredFeedback = {
    feedback_id: world.ids.next('fb'),
    owner_id: caller.owner.id,
    category: input.text('category'),
    content,
    tool: typeof tool === 'string' ? tool : undefined,
    at: now,
  }
  world.tables.feedback.set(feedback.feedback_id, feedback)
  return { feedback_id: feedback.feedback_id, category: feedback.category, submitted_at: stamp(world, now) }
}
