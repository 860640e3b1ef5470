const codes: Readonly<Record<number, string>> = {
  400: 'validation_error',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  409: 'conflict',
  413: 'too_large',
  429: 'rate_limited',
}

/** The service says no: becomes `{"success": false, "error": code, "message": …}` with this status. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, extra: { code?: string; headers?: Record<string, string> } = {}) {
    super(message)
    this.status = status
    this.code = extra.code ?? errorCode(status)
    this.headers = extra.headers ?? {}
  }
}

/** The `error` text that goes with a status. */
export function errorCode(status: number): string {
  return codes[status] ?? (status >= 500 ? 'internal_error' : 'error')
}
