import type { ClinkApiError } from './errors.ts'

/*
 * What an answer means for what was asked. This is the only file that tells statuses apart; everybody else asks one of these questions.
 *
 * A verdict is the service's own word: it came in the API's envelope, or has a status that counts whatever its body
 * (401, 413, 429), or was given so often that it counts for this request (`BareRefusals`). Anything else is a
 * failure, and nobody knows what the request did.
 */

/** The claim is not ours, or not ours anew: forbidden, unknown, somebody else's or completed, gone. */
export const refusesClaim = says(403, 404, 409, 410)

/** As `refusesClaim`. A release has no parameter that could be at fault, so a 400 or 422 is about the claim as well. */
export const refusesRelease = says(400, 403, 404, 409, 410, 422)

/** The clink is held by another session. That it is unknown or gone would say nothing about sessions. */
export const refusesSibling = says(403, 409)

/** The clink was settled before, or is not in a state in which it could be. Of all refusals only this one may mean that it is done. */
export const isConflict = says(409)

/** There is nobody to send it to: no such group or member, or we may not write to them. */
export const refusesRecipient = says(403, 404, 409, 410)

/** The text is not accepted in this form. A 413 may come from anything on the way, and is just as final. */
export const refusesText = says(400, 413, 422)

/** The number that was asked for, a claim's length or a page's, is not accepted. */
export const refusesNumber = says(400, 422)

/** The key is not accepted for anything. */
export const refusesKey = says(401)

/** The key may not do this. */
export const forbids = says(403)

/** The service, or something in front of it, says that this is forbidden. */
export function looksForbidden({ status }: ClinkApiError): boolean {
  return status === 403
}

export const isUnknown = says(404)

/** It names another address, which nobody follows. */
export function redirects({ status }: ClinkApiError): boolean {
  return status >= 300 && status < 400
}

/** Too many requests: nothing was done, and others of ours should wait as well. */
export function isRateLimited(error: ClinkApiError): boolean {
  return error.status === 429
}

/** Something that is not the question's fault keeps the service from answering it. */
export function isFailing({ failure, status }: ClinkApiError): boolean {
  return status >= 500 || failure === 'foreign'
}

/** An answer came, whatever it says: asked again, it comes at once. */
export function isAnswered({ status }: ClinkApiError): boolean {
  return status !== 0
}

/** The service said no, and will say so again. */
export function isVerdict({ failure, status }: ClinkApiError): boolean {
  return failure === undefined && status >= 400 && status < 500 && status !== 408 && status !== 429
}

/** No answer, or none yet: the service may give one to the same question later. */
export function isAway(error: ClinkApiError): boolean {
  return error.status === 0 || error.status === 408 || isRateLimited(error) || isFailing(error)
}

/** The refusal came in the API's envelope: what it says may be kept for other requests and for the next process. */
export function mayBeKept({ failure, isBare }: ClinkApiError): boolean {
  return failure === undefined && !isBare
}

/** A refusal with this status says nothing unless it comes in the API's envelope. A 408 says nothing in any form. */
export function needsEnvelope(status: number): boolean {
  return status >= 400 && status < 500 && ![401, 408, 413, 429].includes(status)
}

/** A question that is answered by the status of a verdict. */
function says(...statuses: readonly number[]) {
  return ({ failure, status }: ClinkApiError): boolean => failure === undefined && statuses.includes(status)
}
