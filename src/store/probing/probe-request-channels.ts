/**
 * Names of the NOTIFY channels of requests for a probe: there is one (payload: the shard), and one is answered (payload: its id).
 */
export const PROBE_REQUESTS_CHANNEL = 'healthmonitor_probe_requests'
export const PROBE_ANSWERS_CHANNEL = 'healthmonitor_probe_answers'
