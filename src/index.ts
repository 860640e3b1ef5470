export { ClinkClient, type CallOptions, type ClientOptions, type InboxPage, type Malformed } from './clink/client.ts'
export {
  operationNames,
  operations,
  type Operation,
  type OperationName,
  type Parameter,
  type Repeat,
} from './clink/contract.ts'
export { ClinkApiError } from './clink/errors.ts'
export type * from './clink/records.ts'
export {
  TransportError,
  type Transport,
  type TransportFailure,
  type TransportRequest,
  type TransportResponse,
} from './clink/transport.ts'
export type { Duration } from './base/duration.ts'
export type { MatchRule, SenderRule } from './config/config.ts'
export {
  defineHandler,
  HandlerAborted,
  type AbortCode,
  type Answer,
  type Control,
  type HandleFunction,
  type HandlerContext,
  type HandlerDefinition,
  type HandlerLog,
  type HandlerResult,
  type JsonOf,
  type RouteMatch,
} from './handlers/handler.ts'
