import { CodedError } from '../base/coded-error.ts'
import type { FilesRead } from './files-read.ts'

/** One thing that is wrong with a handler file, or with the files together. */
export interface HandlerIssue {
  /** As people write it: relative to where the worker was started. */
  readonly file: string
  /** From 1. */
  readonly line?: number
  readonly message: string
}

/** All that keeps a set of handlers from being used, one line each. */
export class HandlerError extends CodedError {
  override readonly name = 'HandlerError'
  readonly issues: readonly HandlerIssue[]
  /** All that were looked at: a change in any of them may mend it. */
  readonly files: FilesRead

  constructor(issues: readonly HandlerIssue[], files: FilesRead) {
    // A broken module is met once by each handler that imports it.
    super('HANDLER_INVALID', [...new Set(issues.map(formatHandlerIssue))].join('\n'))
    this.issues = issues
    this.files = files
  }
}

export function formatHandlerIssue({ file, line, message }: HandlerIssue): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${message}`
}
