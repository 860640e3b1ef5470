// Takes what no other handler takes, because it has no `match`: answers with a few facts about the clink.
import { defineHandler } from 'clink-worker'

export default defineHandler((clink, ctx) => {
  const words = clink.content.split(/\s+/).filter((word) => word !== '').length
  ctx.log.debug('counted', { words })
  const group = clink.group_name ?? clink.group_slug ?? clink.group_id
  return [
    `Hello ${clink.sender_name}, this is clink-worker.`,
    `You wrote ${words} ${words === 1 ? 'word' : 'words'} to ${group} at ${clink.created_at}.`,
    'Other handlers answer "disk" and "report NUMBER"; this one is handlers/answer.ts.',
  ].join('\n')
})
