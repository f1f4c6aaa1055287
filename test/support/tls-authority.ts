/** A certificate authority of a test, and certificates of servers that it vouches for: what Go and Node both accept. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of PEM files. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

export interface Authority {
  /** Path of its certificate. */
  readonly ca: string
  /** For a server at these names, such as `DNS:localhost` and `IP:127.0.0.1`. */
  issue(name: string, at: readonly string[]): ServerCertificate
}

/** Its files are in `folder`. Needs the command openssl. */
export function makeAuthority(folder: string): Authority {
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const ca = join(folder, 'ca.pem')
  const caKey = join(folder, 'ca.key')
  openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', ca, '-days', '2', '-subj', '/CN=test CA')
  return {
    ca,
    issue: (name, at) => {
      const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) =>
        join(folder, `${name}.${end}`),
      ) as [string, string, string, string]
      writeFileSync(extensions, `subjectAltName=${at.join()}\n`)
      openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`)
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions]
      openssl('x509', '-req', '-in', request, '-out', cert, ...signing)
      return { cert, key }
    },
  }
}
