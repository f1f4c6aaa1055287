import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withBoundEndpoints } from '../../../../src/bin/process/bound-endpoints.ts'
import { parseConfig } from '../../../../src/runtime/config/config.ts'

test('the settings name the ports that were bound, so that other processes know them', () => {
  const environment = { HM_LISTEN: '127.0.0.1:0', HM_METRICS_LISTEN: '[::1]:0', HM_PROBERS: '2' }
  const bound = withBoundEndpoints(environment, {
    HM_LISTEN: { host: '127.0.0.1', port: 40_001 },
    HM_METRICS_LISTEN: { host: '::1', port: 40_002 },
  })
  const { listen, metricsListen, probers } = parseConfig(bound)
  assert.deepEqual(listen, { host: '127.0.0.1', port: 40_001 })
  assert.deepEqual(metricsListen, { host: '::1', port: 40_002 })
  assert.equal(probers, 2)
})

test('what was not bound stays as it was set', () => {
  assert.deepEqual(withBoundEndpoints({ HM_METRICS_LISTEN: 'off' }, { HM_METRICS_LISTEN: undefined }), {
    HM_METRICS_LISTEN: 'off',
  })
})
