/**
 * The channel of NOTIFY on which the API announces changed shards, in the transaction that changed them. The payload is
 * the number of the shard.
 */
export const CONFIG_CHANNEL = 'hm_config'
