/**
 * HEALTHCHECK of the image: whether the process answers on HM_METRICS_LISTEN, which the API and a prober both have. It
 * ends with 0 or 1. Where the metrics are off there is nothing to ask, and it ends with 0.
 */
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'

/** Milliseconds: less than the timeout of HEALTHCHECK. */
const TIMEOUT_MS = 4000

const listen = process.env['HM_METRICS_LISTEN'] ?? '127.0.0.1:9877'
if (listen === 'off') process.exit(0)
const secure = (process.env['HM_TLS_CERT'] ?? '') !== ''
const endpoint = listen.replace('0.0.0.0', '127.0.0.1').replace('[::]', '[::1]')
const get = secure ? getHttps : getHttp
// The certificate is for the name of the service, not for loopback, and nothing secret is sent.
const options = { timeout: TIMEOUT_MS, rejectUnauthorized: false }
const asked = get(`${secure ? 'https' : 'http'}://${endpoint}/metrics`, options, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1)
})
asked.on('timeout', () => process.exit(1))
asked.on('error', () => process.exit(1))
