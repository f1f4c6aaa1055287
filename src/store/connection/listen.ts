/**
 * LISTEN on its own connection, because a pool (or PgBouncer in front of it) would give the session to others. A lost
 * notification is allowed: readers also poll.
 */
import type { DatabaseUrl } from './connection-url.ts'
import { ownConnection } from './own-connection.ts'

export interface Listening {
  /** Resolves when the connection is closed. */
  end(): Promise<void>
}

/** Listens on `channel` until the connection breaks; then calls `onEnd` once. Rejects when it cannot connect. */
export async function listen(
  options: { readonly url: DatabaseUrl; readonly applicationName: string; readonly channel: string },
  onPayload: (payload: string) => void,
  onEnd: (error: Error | undefined) => void,
): Promise<Listening> {
  const client = ownConnection(options)
  let isListening = false
  let lastError: Error | undefined
  client.on('error', (error) => {
    lastError = error
  })
  client.on('end', () => {
    if (isListening) onEnd(lastError)
  })
  client.on('notification', (message) => onPayload(message.payload ?? ''))
  try {
    await client.connect()
    await client.query(`listen ${client.escapeIdentifier(options.channel)}`)
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
  isListening = true
  return { end: () => client.end() }
}
