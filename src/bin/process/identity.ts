/** Chooses the identity service of the API: Keystone, or the development identity. */
import { randomBytes } from 'node:crypto'
import type { ApiDependencies } from '../../api/http/context.ts'
import { developmentIdentity } from '../../identity/development.ts'
import { developmentIdentify } from '../../identity/development-identify.ts'
import { developmentKey } from '../../identity/development-token.ts'
import { keystoneClient } from '../../identity/keystone-client.ts'
import { keystoneHttp } from '../../identity/keystone-http.ts'
import { keystoneIdentity } from '../../identity/keystone-identity.ts'
import { keystoneSignIn } from '../../identity/sign-in.ts'
import type { Config } from '../../runtime/config/config.ts'
import type { Log } from '../../runtime/output/log.ts'

export function identityOf(
  config: Config,
  log: Log,
  keystonePassword: () => string | undefined,
): Pick<ApiDependencies, 'identify' | 'developmentIdentity' | 'signIn'> {
  if (config.keystone !== undefined) {
    const { url, username, password, project, domain } = config.keystone
    const account = {
      username,
      project,
      domain,
      // Asked for at each login.
      get password() {
        return keystonePassword() ?? password
      },
    }
    const client = keystoneClient({ url, account, log })
    const identify = keystoneIdentity({ client, url, cacheMs: config.tokenCacheMs })
    return { identify, signIn: keystoneSignIn({ http: keystoneHttp(url), forget: identify.forget }) }
  }
  const { defaultProject } = config
  const development = developmentIdentity({ key: keyOf(config, log), defaultProject })
  return { developmentIdentity: development, identify: developmentIdentify(development, defaultProject) }
}

/** Without a writable folder, tokens end with the process. */
function keyOf({ dataDir }: Config, log: Log): Buffer {
  try {
    return developmentKey(dataDir)
  } catch (error) {
    log.warn(
      { err: error },
      'no key in HM_DATA_DIR: tokens of the development identity end with this process',
    )
    return randomBytes(32)
  }
}
