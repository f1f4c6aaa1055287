/** The API on its listeners. The ports are bound before anything slow begins, so that a taken port is known at once. */
import type { RequestListener } from 'node:http'
import { throughDoor } from '../../api/http/door-request.ts'
import { RETRY_AFTER_SECONDS } from '../../domain/limits.ts'
import { type Config, DOOR_LISTENERS } from '../../runtime/config/config.ts'
import type { Endpoint } from '../../runtime/config/endpoint.ts'
import type { ListenerTls } from '../../runtime/listener/listener-tls.ts'
import { type Listener, listen } from '../../runtime/listener/listener.ts'
import { type ApiApplication, type ApiParts, startApplication } from './api-application.ts'

export interface ApiServer {
  /** What was bound, by the variables that say where. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
  /** Under which a person on this host reaches it. */
  readonly url: string
  /** The same of the listeners of doors, by the names of the doors. */
  readonly doors: Readonly<Record<string, string>>
  /** From now on requests reach the application. */
  open(parts: ApiParts): Promise<void>
  close(): Promise<void>
}

/**
 * Binds HM_LISTEN and the listeners of doors; until `open` every answer is 503 with Retry-After. Throws StartRefusal when a
 * port is taken.
 */
export async function listenForApi(config: Config, tls?: ListenerTls): Promise<ApiServer> {
  let application: ApiApplication | undefined
  const handle: RequestListener = (request, response) =>
    (application?.handle ?? answerStarting)(request, response)
  const bound = await listenAll(config, handle, tls)
  const [api, ...doors] = bound
  return {
    endpoints: Object.fromEntries(bound.map(({ variable, listener }) => [variable, listener.endpoint])),
    url: api.listener.url,
    doors: Object.fromEntries(doors.map(({ door = '', listener }) => [door, listener.url])),
    open: async (parts) => {
      application = await startApplication(parts)
    },
    close: async () => {
      await Promise.all([application?.close(), ...bound.map(({ listener }) => listener.close())])
    },
  }
}

interface BoundListener {
  readonly variable: string
  /** Absent: of the whole API. */
  readonly door?: string
  readonly listener: Listener
}

/** The listener of the API, then those of doors. Either all of them are bound, or none. */
async function listenAll(
  config: Config,
  handle: RequestListener,
  tls: ListenerTls | undefined,
): Promise<[BoundListener, ...BoundListener[]]> {
  const variable = 'HM_LISTEN'
  const bound: [BoundListener, ...BoundListener[]] = [
    { variable, listener: await listen(config.listen, variable, handle, tls) },
  ]
  try {
    for (const [door, setting] of Object.entries(DOOR_LISTENERS)) {
      const endpoint = config.doorListens[door]
      if (endpoint === undefined) continue
      const listener = await listen(endpoint, setting, throughDoor(door, handle), tls)
      bound.push({ variable: setting, door, listener })
    }
    return bound
  } catch (error) {
    await Promise.all(bound.map(({ listener }) => listener.close()))
    throw error
  }
}

const answerStarting: RequestListener = (request, response) => {
  const isLivenessCheck = request.url === '/livez'
  response.writeHead(isLivenessCheck ? 200 : 503, {
    'Content-Type': 'application/json',
    ...(isLivenessCheck ? {} : { 'Retry-After': String(RETRY_AFTER_SECONDS) }),
  })
  response.end(JSON.stringify({ status: isLivenessCheck ? 'ok' : 'starting' }))
}
