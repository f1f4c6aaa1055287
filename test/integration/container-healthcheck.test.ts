import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { selfSigned } from '../support/certificate.ts'
import { folderOfTest } from '../support/folders.ts'
import { startService } from '../support/service.ts'

const HEALTHCHECK = 'deploy/container/healthcheck.js'

/** The exit code of the image's HEALTHCHECK with these settings. */
async function health(settings: Readonly<Record<string, string>>): Promise<unknown> {
  const child = spawn(process.execPath, [HEALTHCHECK], { env: settings, stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as unknown[]
  return code
}

test('HEALTHCHECK of the image is 0 while the process answers, with and without TLS, and 1 when it is gone', async (t) => {
  const plain = await startService(t, folderOfTest(), { HM_PROBERS: '0' })
  const plainSettings = { HM_METRICS_LISTEN: plain.metrics.replace('http://127.0.0.1', '0.0.0.0') }
  assert.equal(await health(plainSettings), 0)
  plain.kill('SIGTERM')
  await plain.finished
  assert.equal(await health(plainSettings), 1)

  const { cert, key } = selfSigned('api.example.org')
  const folder = folderOfTest()
  const files = { HM_TLS_CERT: join(folder, 'tls.crt'), HM_TLS_KEY: join(folder, 'tls.key') }
  writeFileSync(files.HM_TLS_CERT, cert)
  writeFileSync(files.HM_TLS_KEY, key)
  const secure = await startService(t, folderOfTest(), { ...files, HM_PROBERS: '0' })
  assert.equal(await health({ ...files, HM_METRICS_LISTEN: new URL(secure.metrics).host }), 0)
})

test('HEALTHCHECK of the image has nothing to ask where the metrics are off', async () => {
  assert.equal(await health({ HM_METRICS_LISTEN: 'off' }), 0)
})
