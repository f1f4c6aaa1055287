/** TLS of the listeners, log level and SIGHUP, with the whole program as a process. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, renameSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, type SecureVersion, type TLSSocket } from 'node:tls'
import { selfSigned } from '../support/certificate.ts'
import { folderOfTest } from '../support/folders.ts'
import { PROGRAM, runProgram, startService, until } from '../support/service.ts'

/** A name that the certificates are for; the address is loopback. */
const NAME = 'api.example.org'
const SCRIPT = '/usr/bin/script'

type Pair = ReturnType<typeof selfSigned>

/** The files of a service's certificate: replaced as a tool for certificates does, by renaming. */
function certificateFiles(pair: Pair) {
  const folder = folderOfTest()
  const paths = { HM_TLS_CERT: join(folder, 'tls.crt'), HM_TLS_KEY: join(folder, 'tls.key') }
  const replace = ({ cert, key }: Pair): void => {
    for (const [path, text] of [
      [paths.HM_TLS_CERT, cert],
      [paths.HM_TLS_KEY, key],
    ] as const) {
      writeFileSync(`${path}.new`, text, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    }
  }
  replace(pair)
  return { paths, replace }
}

interface Answer {
  readonly status: number
  /** SHA-256 of the certificate that the server showed. */
  readonly fingerprint: string
}

/**
 * One request on a connection of its own. Rejects when the server shows another certificate than those of `known`: by
 * fingerprint, because to OpenSSL all of these are one issuer.
 */
function ask(url: string, known: readonly Pair[]): Promise<Answer> {
  const { hostname, port, pathname } = new URL(url)
  const fingerprints = new Set(known.map(({ cert }) => new X509Certificate(cert).fingerprint256))
  return new Promise((resolve, reject) => {
    const asked = request({ host: hostname, port, path: pathname, rejectUnauthorized: false, agent: false })
    asked.once('error', reject)
    asked.once('response', (response) => {
      const { fingerprint256: fingerprint } = (response.socket as TLSSocket).getPeerCertificate()
      const status = response.statusCode ?? 0
      response.resume().once('end', () => {
        if (fingerprints.has(fingerprint)) resolve({ status, fingerprint })
        else reject(new Error(`another certificate: ${fingerprint}`))
      })
    })
    asked.end()
  })
}

/** Asks again and again, four at a time, until `stop`, which answers every status and every error. */
function load(t: TestContext, url: string, known: readonly Pair[]) {
  const statuses: number[] = []
  const errors: unknown[] = []
  let isOver = false
  const one = async (): Promise<void> => {
    while (!isOver && errors.length === 0 && statuses.length < 20_000) {
      try {
        statuses.push((await ask(url, known)).status)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  const running = Promise.all([one(), one(), one(), one()])
  const stop = async () => {
    isOver = true
    await running
    return { statuses, errors }
  }
  t.after(stop)
  return { statuses, stop }
}

async function shown(url: string, known: readonly Pair[]): Promise<string> {
  return (await ask(url, known)).fingerprint
}

test('SIGHUP changes the certificate of both listeners under load without a failed request; a wrong key is kept out', async (t) => {
  const [first, second, third] = [selfSigned(NAME), selfSigned(NAME), selfSigned(NAME)]
  const all = [first, second, third]
  const { paths, replace } = certificateFiles(first)
  const service = await startService(t, folderOfTest(), { ...paths, HM_PROBERS: '0' })
  assert.match(service.api, /^https:/)
  const [api, metrics] = [`${service.api}/livez`, `${service.metrics}/metrics`]
  const before = await shown(api, all)
  const requests = load(t, api, all)
  await until(() => requests.statuses.length > 20, 'requests with the first certificate')
  replace(second)
  service.kill('SIGHUP')
  await until(async () => (await shown(api, all)) !== before, 'the second certificate')
  const rotated = await shown(api, all)
  assert.equal(await shown(metrics, all), rotated)
  const answered = requests.statuses.length
  await until(() => requests.statuses.length > answered + 20, 'requests with the second certificate')

  replace({ cert: third.cert, key: first.key })
  service.kill('SIGHUP')
  await until(() => service.log().includes('is not the key of the certificate'), 'the line about the key')
  assert.match(service.log(), /"level":"error".*"part":"certificate".*stays in use/)
  assert.equal(await shown(api, all), rotated)
  assert.equal(await shown(metrics, all), rotated)
  const { statuses, errors } = await requests.stop()
  assert.deepEqual(errors, [])
  assert.deepEqual([...new Set(statuses)], [200])
})

test('a listener with a certificate speaks TLS 1.2 and 1.3, and links in its answers are https', async (t) => {
  const pair = selfSigned(NAME)
  const service = await startService(t, folderOfTest(), { ...certificateFiles(pair).paths, HM_PROBERS: '0' })
  const { hostname, port } = new URL(service.api)
  const handshake = async (version: SecureVersion): Promise<string | null> => {
    const limits = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
    const socket = connect({ host: hostname, port: Number(port), servername: NAME, ca: pair.cert, ...limits })
    t.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    const protocol = socket.getProtocol()
    socket.destroy()
    return protocol
  }
  await assert.rejects(handshake('TLSv1.1'), /protocol version/i)
  assert.equal(await handshake('TLSv1.2'), 'TLSv1.2')
  assert.equal(await handshake('TLSv1.3'), 'TLSv1.3')
  const asked = request(`${service.api}/`, { servername: NAME, ca: pair.cert, headers: { Host: hostname } })
  const [response] = (await once(asked.end(), 'response')) as [NodeJS.ReadableStream]
  let body = ''
  for await (const part of response) body += String(part)
  assert.match(body, /"href":"https:\/\/127\.0\.0\.1/)
})

test('a key that is not of the certificate is refused at the start and by --check-config', async () => {
  const pair = { cert: selfSigned(NAME).cert, key: selfSigned(NAME).key }
  const { paths } = certificateFiles(pair)
  for (const args of [['serve'], ['serve', '--check-config'], ['--check-config']]) {
    const { code, err } = await runProgram(args, { ...paths, HM_DATA_DIR: folderOfTest() })
    assert.equal(code, 1, args.join(' '))
    assert.match(err, /^healthmonitor: HM_TLS_KEY: \S+ is not the key of the certificate in \S+\n$/)
  }
})

test('SIGHUP reads the log level anew, in the API and in its probers; a level that is none is kept out', async (t) => {
  const level = join(folderOfTest(), 'level')
  writeFileSync(level, 'warn\n')
  const service = await startService(t, folderOfTest(), { HM_LOG_LEVEL_FILE: level, HM_PROBERS: '1' })
  const isReady = async () => {
    const text = await (await fetch(`${service.metrics}/metrics`)).text()
    return /hm_shards_owned 256/.test(text)
  }
  await until(isReady, 'the prober')
  assert.doesNotMatch(service.log(), /"level":"info"/)
  const linesOf = (name: string) =>
    service
      .log()
      .split('\n')
      .filter((line) => line.includes(`"process":"${name}"`) && line.includes('log level'))
  writeFileSync(level, 'debug\n')
  service.kill('SIGHUP')
  await until(() => linesOf('api').length > 0 && linesOf('prober-1').length > 0, 'both processes to read it')
  assert.match(linesOf('prober-1')[0] ?? '', /"level":"info".*"part":"log level"/)
  writeFileSync(level, 'loud\n')
  service.kill('SIGHUP')
  await until(
    () => linesOf('api').length > 1 && linesOf('prober-1').length > 1,
    'both processes to refuse it',
  )
  assert.match(linesOf('prober-1')[1] ?? '', /"level":"error".*HM_LOG_LEVEL must be one of/)
  await fetch(`${service.api}/livez`)
  await until(() => /"level":"debug".*"path":"\/livez"/.test(service.log()), 'a line of level debug')
})

test('SIGHUP ends a service that a terminal controls', async (t) => {
  if (!existsSync(SCRIPT)) return t.skip('needs script of util-linux, which makes a terminal')
  const command = `exec ${process.execPath} ${PROGRAM} serve`
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(HM_|NODE_TEST|DATABASE_URL)/.test(name),
  )
  const terminal = spawn(SCRIPT, ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: {
      ...Object.fromEntries(inherited),
      HM_DATA_DIR: folderOfTest(),
      HM_LISTEN: '127.0.0.1:0',
      HM_METRICS_LISTEN: '127.0.0.1:0',
      HM_PROBERS: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  t.after(() => terminal.kill('SIGKILL'))
  let said = ''
  terminal.stdout.on('data', (data: Buffer) => (said += data.toString()))
  await until(() => said.includes('"msg":"ready"'), 'the service to be ready')
  const pid = Number(/"pid":(\d+)/.exec(said)?.[1])
  process.kill(pid, 'SIGHUP')
  const [code] = (await once(terminal, 'exit')) as [number]
  assert.equal(code, 0)
  assert.match(said, /"why":"SIGHUP","msg":"ending"/)
})
