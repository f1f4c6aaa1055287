/** HM_TLS_DIR in a prober: monitors name files, probes open paths. */
import { join } from 'node:path'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'

/** A path without files: without HM_TLS_DIR, probes that need a file report that they cannot read it. */
const NOWHERE = '/dev/null'

/** The target with the paths of its files; unchanged when it names none. */
export function withTlsFolder(target: ProbeTarget, folder: string = NOWHERE): ProbeTarget {
  const { tls } = target
  if (tls === undefined) return target
  const { caFile, certificateFile, keyFile } = tls
  if (caFile === undefined && certificateFile === undefined && keyFile === undefined) return target
  return {
    ...target,
    tls: {
      ...tls,
      ...(caFile === undefined ? {} : { caFile: join(folder, caFile) }),
      ...(certificateFile === undefined ? {} : { certificateFile: join(folder, certificateFile) }),
      ...(keyFile === undefined ? {} : { keyFile: join(folder, keyFile) }),
    },
  }
}
