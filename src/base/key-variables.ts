/** The variables of the environment that hold the API key, alone or inside another text. */
export const KEY_VARIABLES: readonly string[] = ['CLINK_API_KEY', 'CLINK_WORKER_CLINK__KEY', 'CLINK_WORKER_CLINK']
