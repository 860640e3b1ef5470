/** The variables of the environment that hold the API key or the address of the shared store, alone or inside another text. */
export const KEY_VARIABLES: readonly string[] = [
  'CLINK_API_KEY',
  'CLINK_WORKER_CLINK__KEY',
  'CLINK_WORKER_CLINK',
  'CLINK_STATE_URL',
  'CLINK_WORKER_STATE__URL',
  'CLINK_WORKER_STATE',
]
